"""Maps without a network, to stand beside those that have one."""

from __future__ import annotations

import cv2
import numpy as np

from msroi.benchmark.inputs import centred


def centre_blob(pixels: np.ndarray) -> np.ndarray:
    """A Gaussian at the centre, sigma a quarter of each side: what a map must beat. float32 in [0, 1]."""
    return centred(*pixels.shape[:2])


def spectral_residual(pixels: np.ndarray) -> np.ndarray:
    """What is odd in a picture's spectrum, times the centre: float32 (height, width) in [0, 1].

    On 64 x 64 of grey, smoothed by 2.5 cells. Source: Hou, Zhang, Saliency detection: a spectral residual
    approach, CVPR 2007.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) if pixels.ndim == 3 else pixels
    small = cv2.resize(grey, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float64)
    spectrum = np.fft.fft2(small)
    amplitude = np.log(np.abs(spectrum) + 1e-9)
    residual = amplitude - cv2.blur(amplitude, (3, 3))
    back = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    odd = cv2.GaussianBlur(back, (0, 0), 2.5)
    odd = (odd - odd.min()) / max(float(np.ptp(odd)), 1e-12)
    large = cv2.resize(odd.astype(np.float32), grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(large * centre_blob(pixels), np.float32)
