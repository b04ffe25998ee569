#pragma once

#include <bit>
#include <cstdint>

#include "cpu/clones.h"

namespace splitpoint {

// e^x to some 2 units in the last place, in a way that compilers vectorise. 0 below −87; above 88 as at 88.
SPLITPOINT_INLINE float exponential(float x) {
  float inside = x < -87.0f ? -87.0f : x;
  inside = inside > 88.0f ? 88.0f : inside;
  // Adding 1.5 · 2²³ rounds to a whole number.
  const float twos = (inside * 1.44269504f + 12582912.0f) - 12582912.0f;
  // ln 2 in two parts; e^rest by Cephes' polynomial.
  const float rest = (inside - twos * 0.693359375f) + twos * 2.12194440e-4f;
  float sum = 1.9875691500e-4f;
  sum = sum * rest + 1.3981999507e-3f;
  sum = sum * rest + 8.3334519073e-3f;
  sum = sum * rest + 4.1665795894e-2f;
  sum = sum * rest + 1.6666665459e-1f;
  sum = sum * rest + 5.0000001201e-1f;
  const float result = (sum * rest * rest + rest + 1.0f) * std::bit_cast<float>((int32_t(twos) + 127) << 23);
  return x < -87.0f ? 0.0f : result;
}

}  // namespace splitpoint
