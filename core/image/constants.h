// SPDX-License-Identifier: GPL-3.0-or-later
/// Tuned constants of the edit. Each one has its unit, its effect and its evidence. "By eye" means that it was chosen
/// by eye on photographs and has no measurement. Display values are R'G'B' in [0,1]; log values are natural logarithms.
#pragma once

namespace geometry_transfer::constants {

// Selected and known pixels.

/// Coverage, [0,1]. A pixel counts as selected above it. By definition: half covered.
constexpr double kSelected = 0.5;
/// Alpha, [0,1]. Pixels below it are not used as bare material, because their colour is partly filled. By eye.
constexpr double kFullyKnown = 0.99;
/// Coverage, [0,1]. The ring for the mean colour excludes pixels above it. By eye.
constexpr double kHardlySelected = 0.02;
/// Share, [0,1]. Two masks whose intersection is more than this share of their union show the same geometry; their
/// edits are averaged. By eye.
constexpr double kSameGeometry = 0.5;

// The patch that the network reads.

/// Patch pixels of a compact geometry. More cost time; the layers are smooth, so they would not get sharper. By eye.
constexpr double kPatchPixels = 150e3;
/// Patch pixels of a thin geometry. A long crack would vanish at kPatchPixels. By eye.
constexpr double kThinPatchPixels = 900e3;
/// Patch pixels. A patch is not shrunk so far that the selection's inner radius falls below it. By eye.
constexpr double kPatchRadius = 9;
/// Patch pixels: least and most width of the ring of bare material around the selection. By eye.
constexpr double kRing = 32, kMostRing = 72;
/// Width of that ring as a share of the selection's longer side. By eye.
constexpr double kRingShare = 0.25;

// Bare material and the network's planes. kGrow, kDark, kToneMix, kSoftSide, kSoftSigma, kOwnBias and the shade's range
// must equal those in core/models/relief/training/network.py. The network was trained with them.

/// Pixels. Material that is at most this far from the selection does not count as bare, because shadows fall on it.
constexpr int kGrow = 4;
/// Mean of the channels, display values. Added to both sides of a ratio, because the ratio of dark pixels is noise.
constexpr float kDark = 0.03f;
/// Share of bare pixels in a cell of the tone's pyramid, [0,1]. A cell with this share counts as much as the coarser
/// level; a cell with more counts more.
constexpr float kToneMix = 0.15f;
/// Pixels. The layers fade at the selection's border: it is dilated by a square of kSoftSide and blurred by kSoftSigma.
constexpr int kSoftSide = 5;
constexpr double kSoftSigma = 1.5;
/// Subtracted from the network's third output before the sigmoid. A network without training then keeps hardly any own
/// material.
constexpr float kOwnBias = 4;
/// Log values: least and greatest shade.
constexpr float kLeastShade = -5, kMostShade = 2;
/// Pixels. With fewer bare pixels, the tone is that of the whole picture. By eye.
constexpr int kEnoughBare = 16;

// Limits of the layers by what the photograph shows.

/// Pixels: side of the square around a pixel in which the strongest difference from the tone is taken. By eye.
constexpr int kEvidenceSide = 9;
/// Display and log values. Smaller differences from the tone are rounding, not evidence. An even reference then changes
/// nothing; without limits it changed the target by up to 15 levels of 255.
constexpr float kRounding = 1e-3f;
/// Factor: shade and light are at most this many times the strongest difference nearby. By eye.
constexpr float kMostOverEvidence = 1.3f;
/// Display values: difference from the tone from which own material counts in full. By eye.
constexpr float kClearlyOwn = 0.04f;
/// Own material, [0,1], in pixels darker than the tone. Up to kMixed it is removed, from kPure on it is kept. Pixels
/// with less than kPure mix a crack's floor with the bare material beside it. By eye.
constexpr float kMixed = 0.3f, kPure = 0.8f;

// Water.

/// Display values: the geometry is water if the brightest light is above it. Drawn droplets reach 0.55 to 0.8, other
/// geometries at most 0.45.
constexpr float kGlint = 0.5f;
/// Quantile of the light that counts as the brightest. By eye.
constexpr double kBrightest = 0.97;
/// Display values: smaller light is not counted. By eye.
constexpr float kSomeLight = 0.02f;
/// Automatic show-through of water, [0,1]: the share of broad brightening that is removed, so that droplets do not look
/// milky. By eye: 0.25 leaves some milk on dark targets, 0.45 makes drops on bright wood dull. A quarter would gain
/// 0.14 dB on 108 rendered cases (docs/quality.md).
constexpr double kWater = 0.35;
/// Share of a piece's longer side: radius of the disc that removes details from broad brightening. By eye.
constexpr double kBroad = 0.03;
/// With more pieces than this, the selection counts as one piece. Bounds the time.
constexpr int kMostPieces = 64;

/// Mean share of own colour over the lit pixels, [0,1]: above it, the light is that of paint. Bright paint of eight
/// rendered cases has 0.13 to 0.84 (white paint 0), drawn drops 0; a photographed drop that mirrors the sky has 0.29.
constexpr double kMostColour = 0.35;
/// Factor on the target that broad light inside a drop can restore at most; above it, light stays white. On 66 rendered
/// cases 0.85 gained 0.11 dB, 1 gained 0.07, and without a limit 0.11 was lost. Without it, drops on coloured targets
/// looked like grey stones.
constexpr float kThroughWater = 0.85f;

// Colours that neither shade nor white light explains: rust, stains, laid-bare paint. Chosen on 66 and
// 110 rendered cases and on photographs; 110 other cases gained 0.14 dB.

/// Pixels: blur of the reference before its colour is judged. By eye.
constexpr double kHueSigma = 1;
/// Display values: chroma of the tone below which its hue is uncertain and explains less. By eye.
constexpr float kGreyChroma = 0.03f;
/// Cells a side of the map of the bare material's chromas; a cell is 2 / kChromaCells wide in display values. By eye.
constexpr int kChromaCells = 100;
/// Share of the bare pixels: a chroma that fewer of them have does not count as the bare material's. With 5e-4, rust
/// beside the selection made the rust in it grey; the rendered cases do not tell 5e-4 from 0.02.
constexpr double kRareChroma = 5e-3;
/// Display values: the least unexplained colour that becomes own material, and the step from there to all of it. On 66
/// rendered cases (0.03, 0.06) lost 0.05 dB and (0.04, 0.06) gained 0.01; rust keeps its colour with both.
constexpr float kLeastHue = 0.04f, kFullHue = 0.06f;
/// Standard deviations above the mean of the bare material's own unexplained colour; below that it does not count. 3
/// turned a dent's coloured grain into own material (-2.6 dB on that case).
constexpr float kHueSpreads = 4;

// Sliders.

/// Log value: shade of this size is halved at Remove grain 2, shade of twice this size at 3. By eye.
constexpr float kFaint = 0.04f;
/// Display values: difference from the tone of the channel that differs most. Bare material up to the first, other
/// material from the second on. kOtherSigma, pixels: blur before the comparison. Grain stays below the first. By eye.
constexpr float kSameMaterial = 0.06f, kOtherMaterial = 0.2f;
constexpr double kOtherSigma = 0.8;
/// Quantile of own material in the selection that becomes the slider's automatic value. By eye.
constexpr double kMostOwn = 0.98;
/// Share of own material below which the reference's pixels are not needed. By eye.
constexpr double kNoOwn = 0.02;

// Automatic strength (automatic_strength in edit.h).

/// Log value: shade below it counts as dark when depth is measured. By eye.
constexpr float kSomeShade = -0.05f;
/// Depth is the mean over the darkest of the dark pixels: one in this many. By eye.
constexpr int kDarkestPart = 5;
/// Pixels. With fewer dark pixels, and with fewer lit pixels for water, nothing is decided. By eye.
constexpr int kEnoughPixels = 20;
/// Pixels: blur before the spread of reference and target is measured. It must be the same for both. By eye.
constexpr double kSpreadSigma = 0.7;
/// Log value: a shallower geometry keeps strength 1. By eye.
constexpr double kDeep = 0.1;
/// Depth over spread in the reference. A geometry below it is hardly visible there, and keeps strength 1. By eye.
constexpr double kSeenInReference = 1.5;
/// Depth over spread that the strength aims at on the target. By eye. With it, the lowest tenth of real cracks on other
/// photographs reaches 1.17 (`visible` in docs/quality.md).
constexpr double kSeen = 1.2;
/// Greatest automatic strength. By eye.
constexpr double kMostStrength = 1.8;
/// Pixels: longer side at which the target's spread is measured. By eye.
constexpr double kStrengthSide = 640;
/// Pixels at that size: the spread is measured within half this side of the geometry. By eye.
constexpr int kStrengthNear = 15;
/// Pixels at that size: wider changes are the target's shape, not its texture. By eye.
constexpr double kToneSigma = 10;
/// Luma, [0,1]: added before the logarithm, because it spreads dark noise. By eye.
constexpr double kDarkLuma = 0.016;

// Light of a turned geometry (relief/relight.h). "Turned cases" are rendered cases whose geometry is turned or mirrored
// on the target, as tests/bench/make_turned.py draws them.

/// Pixels: sides of the pictures in which the light is measured, and in which the shading is turned. Larger layers are
/// shrunk to them, because the change of the shading is smooth. By eye.
constexpr int kLightSide = 128, kRelitSide = 256;
/// Patch pixels: standard deviations of the Gaussian over pairs of dark and bright pixels. The first one with enough
/// agreement counts. 16 found the direction of 22 turned cases better than 4 and 8 did; wide dents need more.
constexpr double kPairSigmas[] = {16, 32, 64};
/// Length of the mean vector of the pairs, in sigmas, from which its direction counts: for the first sigma and for the
/// wider ones. With 0.25 for all of them, turned nets lost 0.3 dB and scratches 0.4 dB.
constexpr double kAgree = 0.25, kWideAgree = 0.6;
/// The light's length is kLightLength times the bright share of the shading, at most kMostLight. On 55 turned cases a
/// factor of 12 gained as much as one of 6 (0.2 dB). Another formula, 0.4 + 2 * share, lost 1.7 dB on flakes.
constexpr double kLightLength = 12, kMostLight = 1.5;
/// Bright share of the shading, [0,1]. From kPale to kPaleOnly the light's length falls to 0: such geometries are paler
/// matter. Without it, turned chips lost 2.4 dB.
constexpr double kPale = 0.6, kPaleOnly = 0.8;
/// Cycles per patch pixel: finer shading is turned by less than half. On 55 turned cases 0.06 was 0.04 dB
/// better than 0.03.
constexpr double kFineShading = 0.06;
/// Pixels of zeros beside the picture, because the Fourier transform is periodic. By eye.
constexpr int kRelightPad = 24;

// Mean colour (Colour::surround).

/// Width of the ring: this share of the mask's radius, and at least this many pixels. By eye.
constexpr double kColourRingShare = 0.25, kLeastColourRing = 4;

// Working rectangle without a model, canvas pixels and shares of the geometry's longer side.

/// Canvas pixels beyond grow and feather. By eye.
constexpr double kMargin = 8;
/// Further margin for Colour::shading. The edit reads the target's spread there. By eye.
constexpr double kShadingMargin = 16, kShadingMarginShare = 0.05;
/// Further margin for the other colours. It must hold the ring for the mean colour. By eye.
constexpr double kColourMargin = 8, kColourMarginShare = 0.25;

// The model's correction (shadows_only in image_pipeline.h).

/// Luma, [0,1]: darkening by the edit that counts as full shadow; less counts in proportion. By eye.
constexpr float kFullShadow = 20.0f / 255;
/// Luma, [0,1]: least divisor of the ratio after / before. By eye.
constexpr float kLeastLuma = 0.02f;

}  // namespace geometry_transfer::constants
