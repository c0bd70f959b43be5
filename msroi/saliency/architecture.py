"""What of the MS-ROI network is fixed, and what may vary. Nothing here needs Keras."""

from __future__ import annotations

from dataclasses import dataclass

from msroi.errors import OptionError

N_CLASSES = 102
N_BEST = 5
VGG16_MEANS_BGR = (103.939, 116.779, 123.68)
"""What VGG16's first convolution expects to be taken off blue, green and red (Simonyan, Zisserman 2014)."""

VGG16_WIDTHS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Filters and number of convolutions of VGG16's five blocks."""

TRUNK_CHANNELS = 256


@dataclass(frozen=True)
class Architecture:
    """What of the network may vary.

    width: filters of block 4, block 5 and the added convolutions; VGG16 has 512.
    batch_norm: batch normalisation after each convolution of blocks 4, 5 and the added ones (the paper
        has none); it is folded away by the export.
    last_pool_stride: stride of the pooling after block 5: 2 is VGG16's; 1 leaves the pooling out, so that
        the map is twice as fine.
    gaze_maps: a second set of class maps, taught by fixations.
    supervised: the maps end in a sigmoid with two learned numbers; without, they are labels' own.
    """

    width: int = 512
    batch_norm: bool = True
    last_pool_stride: int = 1
    gaze_maps: bool = True
    supervised: bool = True
    n_classes: int = N_CLASSES

    def __post_init__(self) -> None:
        if self.width < 8 or self.width % 8:
            raise OptionError(f"width {self.width}: must be a multiple of 8, at least 8")
        if self.last_pool_stride not in (1, 2):
            raise OptionError(f"last_pool_stride {self.last_pool_stride}: must be 1 or 2")

    @property
    def map_stride(self) -> int:
        """Pixels of the picture to one cell of the map."""
        return 16 * self.last_pool_stride
