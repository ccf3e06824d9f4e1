"""Pictures scaled, shifted, mirrored and tinted in one pass."""

import math

from topology._kernels.compiling import kernel


@kernel()
def warp(images, scale, shift, gain, highest, rounding, out):
    """Move what is at u to scale * u + shift, bilinearly, and multiply the channels by a gain.

    images, out (n, height, width, channels); scale, shift (n, 2) as x, y and gain (n, channels). u runs from -1 to 1
    across the picture. What comes from beyond the border repeats the border. Values are cut off at 0 and `highest`;
    `rounding` is added last, 0.5 for integers.
    """
    n, height, width, n_channels = images.shape
    for i in range(n):
        for row in range(height):
            v = ((2 * row + 1) / height - 1 - shift[i, 1]) / scale[i, 1]
            y = min(max((v + 1) * height / 2 - 0.5, 0.0), height - 1.0)
            top = min(math.floor(y), max(height - 2, 0))
            below = min(top + 1, height - 1)
            down = y - top
            for column in range(width):
                u = ((2 * column + 1) / width - 1 - shift[i, 0]) / scale[i, 0]
                x = min(max((u + 1) * width / 2 - 0.5, 0.0), width - 1.0)
                left = min(math.floor(x), max(width - 2, 0))
                beside = min(left + 1, width - 1)
                right = x - left
                for c in range(n_channels):
                    upper = images[i, top, left, c] * (1 - right) + images[i, top, beside, c] * right
                    lower = images[i, below, left, c] * (1 - right) + images[i, below, beside, c] * right
                    value = (upper * (1 - down) + lower * down) * gain[i, c]
                    out[i, row, column, c] = min(max(value, 0.0), highest) + rounding
