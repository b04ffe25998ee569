#pragma once

#include <cstdint>

namespace splitpoint {

// The product of sizes, or the greatest number where it would not fit.
template <class... Sizes>
uint64_t product(Sizes... sizes) {
  uint64_t result = 1;
  for (uint64_t size : {uint64_t(sizes)...}) {
    if (__builtin_mul_overflow(result, size, &result)) return UINT64_MAX;
  }
  return result;
}

}  // namespace splitpoint
