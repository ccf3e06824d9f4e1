"""Bayesian causal inference: likelihoods by quadrature, parameters, and their fit."""
