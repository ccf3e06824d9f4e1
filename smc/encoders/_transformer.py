"""A trained encoder as a step of a scikit-learn pipeline."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from smc.encoders._embedding import embed


class EncoderTransformer(TransformerMixin, BaseEstimator):
    """Embeds images or clouds; `fit` learns nothing, so folds of a cross-validation share one encoder.

    Parameters
    ----------
    encoder : EquivarianceModule or an encoder
        Trained before.
    head : str or tuple of str, default="backbone"
        See `embed`.
    shape : tuple of int, optional
        Shape of one image or cloud, such as (32, 32, 3), where X comes as rows of numbers (n, n_numbers), as in a table
        of which a `ColumnTransformer` picks columns.
    batch_size : int, default=512

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from smc.encoders import ConvEncoder, EncoderTransformer
    >>> images = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), dtype=np.uint8)
    >>> read = make_pipeline(EncoderTransformer(ConvEncoder(4, 16, 8)), LogisticRegression())
    >>> read.fit(images, np.arange(20) % 2).predict(images).shape
    (20,)
    """

    def __init__(self, encoder, head="backbone", *, shape=None, batch_size=512):
        self.encoder = encoder
        self.head = head
        self.shape = shape
        self.batch_size = batch_size

    def fit(self, X, y=None):
        """Check that the encoder takes the first sample; n_features_out_ is the size of its embedding."""
        self.n_features_out_ = self.transform(X[:1]).shape[1]
        return self

    def transform(self, X):
        """Embeddings (n, d) of float32."""
        X = np.asarray(X)
        if self.shape is not None:
            n_numbers = int(np.prod(self.shape))
            if X.ndim != 2 or X.shape[1] != n_numbers:
                raise ValueError(f"X must have shape (n, {n_numbers}) for shape={self.shape}, got {X.shape}")
            X = X.reshape(-1, *self.shape)
        return embed(self.encoder, X, self.head, batch_size=self.batch_size)

    def get_feature_names_out(self, input_features=None):
        """Names of the embedding's features, as scikit-learn asks for them."""
        return np.array([f"embedding{i}" for i in range(self.n_features_out_)], dtype=object)

    def __sklearn_is_fitted__(self):
        return True  # the encoder was trained before

    def __sklearn_clone__(self):
        return type(self)(**self.get_params(deep=False))  # the encoder is shared, not copied
