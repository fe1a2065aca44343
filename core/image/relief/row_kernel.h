// SPDX-License-Identifier: GPL-3.0-or-later
// No include guard: convolution.cpp includes this once for each instruction set. It is not a template, because GCC
// would compile a template's vectors for the default instruction set, before it inlines the template.
//   ROW_NAME    name of the function
//   ROW_LANES   floats of a vector register: 4, 8 or 16
//   ROW_TARGET  the function's target attribute; empty for the compiler's default

/// Computes one row of one block of output channels. Twelve sums, two weights and one input use 15 of the 16 vector
/// registers of x86-64.
ROW_TARGET void ROW_NAME(const Job& job, Convolution::Epilogue epilogue) {
  typedef float Lanes __attribute__((vector_size(ROW_LANES * sizeof(float)), aligned(4), may_alias));
  for (int first = 0; first < job.block; first += 2 * ROW_LANES)
    for (int x = 0; x < job.width; x += kPixels) {
      Lanes sum[kPixels][2];
      for (int p = 0; p < kPixels; ++p)
        for (int v = 0; v < 2; ++v) sum[p][v] = *reinterpret_cast<const Lanes*>(job.bias + first + v * ROW_LANES);
      const float* weight = job.weight + first;
      for (int ky = 0; ky < job.side; ++ky)
        for (int kx = 0; kx < job.side; ++kx) {
          const float* in = job.in + ky * job.in_stride + std::size_t(x + kx) * job.in_channels;
          for (int i = 0; i < job.in_channels; ++i, weight += kBlock) {
            const Lanes w0 = *reinterpret_cast<const Lanes*>(weight), w1 = *reinterpret_cast<const Lanes*>(weight + ROW_LANES);
            for (int p = 0; p < kPixels; ++p) {
              const float a = in[std::size_t(p) * job.in_channels + i];
              sum[p][0] += a * w0;
              sum[p][1] += a * w1;
            }
          }
        }
      const int pixels = std::min(kPixels, job.width - x), vectors = std::min(2, (job.block - first) / ROW_LANES);
      for (int p = 0; p < pixels; ++p)
        for (int v = 0; v < vectors; ++v) {
          Lanes* out = reinterpret_cast<Lanes*>(job.out + std::size_t(x + p) * job.out_channels + first + v * ROW_LANES);
          Lanes value = sum[p][v];
          if (epilogue == Convolution::Epilogue::relu) value = value > 0 ? value : value - value;
          if (epilogue == Convolution::Epilogue::add) value += *out;
          *out = value;
        }
    }
}
