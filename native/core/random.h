#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define SPLITPOINT_EVERYWHERE __host__ __device__
#else
#define SPLITPOINT_EVERYWHERE
#endif

// Random numbers that depend on a seed and an index alone, the same on host and device, so that any part of a tensor
// can be made anywhere.

namespace splitpoint {

// SplitMix64 (Steele, Lea, Flood, OOPSLA'14).
SPLITPOINT_EVERYWHERE inline uint64_t mixed(uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

// Nearly normal, mean 0 and variance 1: the sum of four 16-bit uniform numbers. Exact in fp32, so that host and device
// agree to the bit.
SPLITPOINT_EVERYWHERE inline float normalAt(uint64_t seed, uint64_t index) {
  uint64_t bits = mixed(seed ^ mixed(index));
  int32_t sum =
      int32_t(bits & 0xffff) + int32_t((bits >> 16) & 0xffff) + int32_t((bits >> 32) & 0xffff) + int32_t(bits >> 48);
  // Four uniforms on 0 .. 65535 have the variance 4 · 65536² / 12.
  return float(sum - 2 * 65535) * (1.7320508f / 65536.0f);
}

// The numbers of a tensor that is filled. In double, in which the product is exact, a compiler may fuse the operations
// or not: host and device agree to the bit.
SPLITPOINT_EVERYWHERE inline float filledAt(uint64_t seed, uint64_t index, float scale, float shift) {
  return float(double(scale) * normalAt(seed, index) + shift);
}

// The token that a sequence feeds into the step at a position.
SPLITPOINT_EVERYWHERE inline uint32_t drawnToken(uint32_t vocab, uint32_t microBatch, uint32_t sequence,
                                                 uint32_t position) {
  return uint32_t(mixed((uint64_t(microBatch) << 52) ^ (uint64_t(sequence) << 32) ^ position) % vocab);
}

}  // namespace splitpoint
