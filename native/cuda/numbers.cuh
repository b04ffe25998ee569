#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

#include "core/plan.h"

namespace splitpoint {

__device__ inline float toFloat(float x) { return x; }
__device__ inline float toFloat(__half x) { return __half2float(x); }
__device__ inline float toFloat(__nv_bfloat16 x) { return __bfloat162float(x); }

template <typename T>
__device__ T fromFloat(float x);
template <>
__device__ inline float fromFloat(float x) {
  return x;
}
template <>
__device__ inline __half fromFloat(float x) {
  return __float2half_rn(x);
}
template <>
__device__ inline __nv_bfloat16 fromFloat(float x) {
  return __float2bfloat16_rn(x);
}

// N neighbours in memory, moved 16 bytes at a time.
template <typename T, int N>
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) Pack {
  T at[N];
};

template <int N, typename T>
__device__ Pack<T, N> load(const T* from) {
  return *reinterpret_cast<const Pack<T, N>*>(from);
}

template <int N, typename T>
__device__ void store(T* to, const Pack<T, N>& pack) {
  *reinterpret_cast<Pack<T, N>*>(to) = pack;
}

// Calls f with a value of the element type.
template <typename F>
auto forType(Type type, F f) {
  switch (type) {
    case Type::fp16:
      return f(__half{});
    case Type::bf16:
      return f(__nv_bfloat16{});
    default:
      return f(float{});
  }
}

// Whether all of the pointers (null among them) are at multiples of 16 bytes.
template <typename... P>
bool aligned(const P*... pointers) {
  return ((uintptr_t(pointers) | ...) & 15) == 0;
}

inline uint64_t dividedUp(uint64_t count, uint64_t by) { return (count + by - 1) / by; }

}  // namespace splitpoint
