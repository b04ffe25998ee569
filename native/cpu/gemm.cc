#include "cpu/gemm.h"

#include <algorithm>
#include <vector>

#include "cpu/convert.h"

namespace splitpoint {
namespace {

// 16-bit operands become fp32 in blocks of these sizes, which stay in the caches. They are converted anew in each call:
// keeping fp32 weights would make memory traffic cheaper than it is.
constexpr uint64_t kBlockM = 1024, kBlockN = 512, kBlockK = 512;

struct Panels {
  std::vector<float> a = std::vector<float>(kBlockM * kBlockK);
  std::vector<float> b = std::vector<float>(kBlockN * kBlockK);
  std::vector<float> c = std::vector<float>(kBlockM * kBlockN);
};

// A part of a matrix whose rows have `stride` elements, to dense fp32.
void widenBlock(Type type, const void* matrix, uint64_t stride, uint64_t firstRow, uint64_t rows, uint64_t firstColumn,
                uint64_t columns, float* to) {
  const char* from = static_cast<const char*>(matrix) + (firstRow * stride + firstColumn) * bytesOf(type);
  for (uint64_t row = 0; row < rows; ++row)
    widen(type, from + row * stride * bytesOf(type), to + row * columns, columns);
}

void narrowBlock(Type type, const float* from, void* matrix, uint64_t stride, uint64_t firstRow, uint64_t rows,
                 uint64_t firstColumn, uint64_t columns) {
  char* to = static_cast<char*>(matrix) + (firstRow * stride + firstColumn) * bytesOf(type);
  for (uint64_t row = 0; row < rows; ++row)
    narrow(type, from + row * columns, to + row * stride * bytesOf(type), columns);
}

void addToRows(const float* bias, float* rows, uint64_t count, uint64_t width, uint64_t stride) {
  for (uint64_t row = 0; row < count; ++row)
    for (uint64_t i = 0; i < width; ++i) rows[row * stride + i] += bias[i];
}

void multiplySingle(const Gemm& g, const Blas& blas) {
  auto* c = static_cast<float*>(g.c);
  if (g.bias) {
    if (!g.accumulate) std::fill(c, c + g.m * g.n, 0.0f);
    addToRows(static_cast<const float*>(g.bias), c, g.m, g.n, g.n);
  }
  blas.multiply({.m = g.m,
                 .n = g.n,
                 .k = g.k,
                 .a = static_cast<const float*>(g.a),
                 .aStride = g.k,
                 .b = static_cast<const float*>(g.b),
                 .bStride = g.bTransposed ? g.k : g.n,
                 .bTransposed = g.bTransposed,
                 .beta = g.bias || g.accumulate ? 1.0f : 0.0f,
                 .c = c,
                 .cStride = g.n});
}

void multiplyHalf(const Gemm& g, const Blas& blas) {
  // Of the stream's thread.
  static thread_local Panels panels;
  const Type outputType = g.fp32Output ? Type::fp32 : g.type;
  for (uint64_t firstN = 0; firstN < g.n; firstN += kBlockN) {
    const uint64_t n = std::min(kBlockN, g.n - firstN);
    for (uint64_t firstM = 0; firstM < g.m; firstM += kBlockM) {
      const uint64_t m = std::min(kBlockM, g.m - firstM);
      if (g.accumulate) {
        widenBlock(outputType, g.c, g.n, firstM, m, firstN, n, panels.c.data());
      } else {
        std::fill_n(panels.c.begin(), m * n, 0.0f);
      }
      if (g.bias) {
        widenBlock(g.type, g.bias, g.n, 0, 1, firstN, n, panels.b.data());
        addToRows(panels.b.data(), panels.c.data(), m, n, n);
      }
      for (uint64_t firstK = 0; firstK < g.k; firstK += kBlockK) {
        const uint64_t k = std::min(kBlockK, g.k - firstK);
        widenBlock(g.type, g.a, g.k, firstM, m, firstK, k, panels.a.data());
        if (g.bTransposed) {
          widenBlock(g.type, g.b, g.k, firstN, n, firstK, k, panels.b.data());
        } else {
          widenBlock(g.type, g.b, g.n, firstK, k, firstN, n, panels.b.data());
        }
        blas.multiply({.m = m,
                       .n = n,
                       .k = k,
                       .a = panels.a.data(),
                       .aStride = k,
                       .b = panels.b.data(),
                       .bStride = g.bTransposed ? k : n,
                       .bTransposed = g.bTransposed,
                       .beta = 1.0f,
                       .c = panels.c.data(),
                       .cStride = n});
      }
      narrowBlock(outputType, panels.c.data(), g.c, g.n, firstM, m, firstN, n);
    }
  }
}

}  // namespace

void multiply(const Gemm& gemm, const Blas& blas) {
  gemm.type == Type::fp32 ? multiplySingle(gemm, blas) : multiplyHalf(gemm, blas);
}

}  // namespace splitpoint
