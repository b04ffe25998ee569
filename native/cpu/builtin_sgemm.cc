#include <algorithm>

#include "cpu/blas.h"
#include "cpu/clones.h"

namespace splitpoint {
namespace {

// A tile of c stays in registers while a block of k passes by.
constexpr uint64_t kTileRows = 4;
constexpr uint64_t kTileColumns = 2 * kLanes;
constexpr uint64_t kBlockK = 256;
constexpr uint64_t kBlockM = 128;

// kBlockK × kTileColumns of b; columns beyond n keep what they were.
SPLITPOINT_INLINE void pack(const Sgemm& s, uint64_t firstK, uint64_t endK, uint64_t firstN, float* packed) {
  const uint64_t columns = std::min(kTileColumns, s.n - firstN);
  const uint64_t step = s.bTransposed ? 1 : s.bStride;
  const uint64_t across = s.bTransposed ? s.bStride : 1;
  for (uint64_t p = firstK; p < endK; ++p, packed += kTileColumns) {
    const float* row = s.b + p * step + firstN * across;
    for (uint64_t j = 0; j < columns; ++j) packed[j] = row[j * across];
  }
}

SPLITPOINT_INLINE void tile(const Sgemm& s, uint64_t firstM, uint64_t endM, uint64_t firstN, uint64_t firstK,
                            uint64_t endK, const float* packed) {
  Floats sum[kTileRows][2] = {};
  const float* a[kTileRows];
  // Rows beyond the last repeat it; what they give is not stored.
  for (uint64_t i = 0; i < kTileRows; ++i) a[i] = s.a + std::min(firstM + i, endM - 1) * s.aStride;
  for (uint64_t p = firstK; p < endK; ++p, packed += kTileColumns) {
    const Floats left = floatsAt(packed), right = floatsAt(packed + kLanes);
#pragma GCC unroll 4
    for (uint64_t i = 0; i < kTileRows; ++i) {
      sum[i][0] += left * a[i][p];
      sum[i][1] += right * a[i][p];
    }
  }
  const float beta = firstK == 0 ? s.beta : 1.0f;
  const uint64_t columns = std::min(kTileColumns, s.n - firstN);
  for (uint64_t i = 0; i < std::min(kTileRows, endM - firstM); ++i) {
    float* c = s.c + (firstM + i) * s.cStride + firstN;
    const float* row = reinterpret_cast<const float*>(sum[i]);
    for (uint64_t j = 0; j < columns; ++j) c[j] = beta == 0 ? row[j] : row[j] + beta * c[j];
  }
}

}  // namespace

SPLITPOINT_CLONES
void multiplyBuiltIn(const Sgemm& s) {
  float packed[kBlockK * kTileColumns] = {};
  for (uint64_t firstK = 0; firstK < s.k; firstK += kBlockK) {
    const uint64_t endK = std::min(firstK + kBlockK, s.k);
    for (uint64_t blockM = 0; blockM < s.m; blockM += kBlockM) {
      const uint64_t endM = std::min(blockM + kBlockM, s.m);
      for (uint64_t firstN = 0; firstN < s.n; firstN += kTileColumns) {
        pack(s, firstK, endK, firstN, packed);
        for (uint64_t firstM = blockM; firstM < endM; firstM += kTileRows)
          tile(s, firstM, endM, firstN, firstK, endK, packed);
      }
    }
  }
}

}  // namespace splitpoint
