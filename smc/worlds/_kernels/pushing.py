"""Boxes that are pushed along a table, quasi-statically: no speed, no inertia."""

import math

from smc.worlds._kernels.compiling import jit


@jit()
def measure(x, y, z, first_vertex, objects, yaw, out):
    """Leftmost and rightmost place and height (n, 3) of objects turned by yaw about their vertical axis.

    x, y, z (n_vertices,) and first_vertex (n_meshes + 1,): all meshes one after another.
    """
    for i in range(len(objects)):
        cos, sin = math.cos(yaw[i]), math.sin(yaw[i])
        left, right, bottom, top = math.inf, -math.inf, math.inf, -math.inf
        for v in range(first_vertex[objects[i]], first_vertex[objects[i] + 1]):
            across = cos * x[v] - sin * y[v]
            left, right = min(left, across), max(right, across)
            bottom, top = min(bottom, z[v]), max(top, z[v])
        out[i, 0], out[i, 1], out[i, 2] = left, right, top - bottom


@jit()
def push(half_width, height, friction, share, way, edge, place, quarters, tipped):
    """Push box i at a share of its height over way[i] (0 = not at all); place, quarters and tipped change in place.

    Sliding takes a force of friction times weight, tipping about the far lower edge one of weight times half-width over
    the height of the push: what takes less happens. The table ends at +-edge with rails that nothing passes.
    """
    for i in range(len(place)):
        tipped[i] = False
        if way[i] == 0.0:
            continue
        lies = quarters[i] % 2 != 0
        half = height[i] / 2 if lies else half_width[i]
        tall = 2 * half_width[i] if lies else height[i]
        tipped[i] = friction[i] * share[i] * tall > half
        if tipped[i]:
            side = 1 if way[i] > 0 else -1
            place[i] += side * (half + tall / 2)
            quarters[i] = (quarters[i] + side) % 4
            half = tall / 2
        else:
            place[i] += way[i]
        place[i] = min(max(place[i], half - edge), edge - half)
