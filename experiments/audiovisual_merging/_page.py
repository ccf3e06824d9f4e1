"""Tables, figure and animation."""

import numpy as np

from experiments._figures import PALETTE, interval_line, save_film
from experiments._senses._life import calibration_rows
from experiments._senses._page import draw_calibration
from experiments.audiovisual_merging._joint_map import FILMED
from experiments.audiovisual_merging._judging import RULES

SENSES = ("vision", "audition")
COLOURS = dict(zip(RULES, (PALETTE[0], PALETTE[5], PALETTE[7], PALETTE[1], PALETTE[2], PALETTE[3])))


def table(results) -> dict[str, list[dict]]:
    places = results["eccentricity"][0]
    columns = [f"{place:g} deg" for place in places]
    weights = [{"rule": "optimum (measured)"} | dict(zip(columns, results["optimal_weight"].mean(axis=0)))]
    errors = [{"rule": "optimum (measured)"} | dict(zip(columns, results["optimal_error"].mean(axis=0)))]
    for i, rule in enumerate(RULES):
        weights.append({"rule": rule} | dict(zip(columns, results["weight"][:, i].mean(axis=0))))
        errors.append({"rule": rule} | dict(zip(columns, results["error"][:, i].mean(axis=0))))
    irrelevant = [
        {"irrelevant features": int(n)}
        | {name: results[f"rmse_{name}"][:, i].mean() for name in ("field", "nearest unit")}
        for i, n in enumerate(results["n_irrelevant"][0])
    ]
    return {
        "weight of vision, mean over agents": weights,
        "root mean squared error of the percept, degrees": errors,
        "root mean squared error with irrelevant features, degrees": irrelevant,
        "calibration of the learned precision on new experience": calibration_rows(results, SENSES),
    }


def figure(results):
    import matplotlib.pyplot as plt

    drawing, axes = plt.subplots(2, 3, figsize=(14, 7.6))
    (ax_senses, ax_weight, _), (ax_error, ax_features, _) = axes
    places = results["eccentricity"][0]
    for i, (sense, colour) in enumerate({"vision": PALETTE[0], "audition": PALETTE[1]}.items()):
        interval_line(ax_senses, places, np.sqrt(results["squared_error"][:, i]), sense, color=colour)
        predicted = np.sqrt(results["predicted_variance"][:, i].mean(axis=0))
        ax_senses.plot(places, predicted, ":", color=colour, label=f"{sense}, as the agent believes")
    ax_senses.set(title="each sense alone", ylabel="root mean squared error (degrees)")

    optimum = {"color": "black", "linestyle": "--", "linewidth": 1.2}
    ax_weight.plot(places, results["optimal_weight"].mean(axis=0), label="optimum (measured)", **optimum)
    ax_error.plot(places, results["optimal_error"].mean(axis=0), label="optimum (measured)", **optimum)
    for i, rule in enumerate(RULES):
        interval_line(ax_weight, places, results["weight"][:, i], rule, color=COLOURS[rule])
        if rule in ("learned", "constant gain", "width-coded", "closed form"):
            interval_line(ax_error, places, results["error"][:, i], rule, color=COLOURS[rule])
    ax_weight.set(title="merged percept: who is believed", ylabel="weight of vision", ylim=(0.2, 1.0))
    ax_error.set(title="merged percept: how well it localises", ylabel="root mean squared error (degrees)")
    for ax in (ax_senses, ax_weight, ax_error):
        ax.set(xlabel="eccentricity (degrees)", xticks=places)
    for name, colour in {"field": PALETTE[0], "nearest unit": PALETTE[7]}.items():
        interval_line(ax_features, results["n_irrelevant"][0], results[f"rmse_{name}"], name, color=colour)
    ax_features.set(title="features without position", xlabel="irrelevant features in the joint map")
    ax_features.set(ylabel="root mean squared error (degrees)", xticks=results["n_irrelevant"][0])
    ax_features.set_ylim(bottom=0)
    for ax in (ax_senses, ax_error, ax_features):
        ax.legend(fontsize=8)
    drawing.legend(*ax_weight.get_legend_handles_labels(), loc="outside lower center", ncols=7, fontsize=8)
    for i, (ax, sense) in enumerate(zip(axes[:, 2], SENSES)):
        draw_calibration(ax, results, i, f"calibration: {sense}", "degrees")
    return drawing


def animate(results, path):
    """The field of the first agent while a glimpse and a sound become one percept."""
    import matplotlib.pyplot as plt

    x, frames = results["film_place"][0], results["film_activity"][0]
    drawing, ax = plt.subplots(figsize=(6.4, 3.6))
    ax.fill_between(x, results["film_input"][0], color=PALETTE[7], alpha=0.25, linewidth=0, label="input")
    (line,) = ax.plot(x, frames[0], color=PALETTE[0], label="activity")
    for place, label, colour in zip(FILMED, ("seen", "heard"), (PALETTE[2], PALETTE[3])):
        ax.axvline(place, color=colour, linestyle=":", label=label)
    merged = ax.axvline(np.nan, color=PALETTE[0], linewidth=1, label="centre of activity")
    ax.set(xlabel="place (degrees)", ylabel="activity, input", xlim=(x[0], x[-1]), ylim=(0, 1.05))
    ax.legend(fontsize=8, loc="upper left")
    time = ax.set_title(" ")

    def show(frame):
        line.set_ydata(frames[frame])
        mass = frames[frame].sum()
        merged.set_xdata([frames[frame] @ x / mass if mass > 0 else np.nan] * 2)
        time.set_text(f"{0.2 * (frame + 1):.1f} time constants")

    save_film(drawing, [line, merged, time], show, len(frames), path, fps=8)
    plt.close(drawing)
