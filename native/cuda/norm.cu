#include "cuda/kernels.h"
#include "cuda/numbers.cuh"

namespace splitpoint {
namespace {

constexpr int kBlock = 256;
constexpr int kWarp = 32;

// The sum over the threads of a row, known to all of them.
template <int kRowThreads>
__device__ float rowSum(float x) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2) x += __shfl_xor_sync(0xffffffffu, x, offset);
  if constexpr (kRowThreads > kWarp) {
    __shared__ float sums[kRowThreads / kWarp];
    __syncthreads();  // the sums of the call before have been read
    if (threadIdx.x % kWarp == 0) sums[threadIdx.x / kWarp] = x;
    __syncthreads();
    x = 0;
    for (int i = 0; i < kRowThreads / kWarp; ++i) x += sums[i];
  }
  return x;
}

// A row is read up to three times, from the cache but for the first. Input and output may be the same: a thread writes
// what only it reads.
template <typename T, int N, int kRowThreads>
__global__ void normRows(uint64_t rows, uint32_t width, const T* input, const T* weight, const T* bias, float epsilon,
                         T* output) {
  const uint64_t row = uint64_t(blockIdx.x) * (kBlock / kRowThreads) + threadIdx.x / kRowThreads;
  if (row >= rows) return;  // whole warps, and no block that synchronises
  const uint32_t first = threadIdx.x % kRowThreads * N;
  constexpr uint32_t kStep = kRowThreads * N;
  input += row * width;
  output += row * width;

  float mean = 0;
  if (bias) {
    float sum = 0;
    for (uint32_t i = first; i < width; i += kStep) {
      const Pack<T, N> x = load<N>(input + i);
      for (int j = 0; j < N; ++j) sum += toFloat(x.at[j]);
    }
    mean = rowSum<kRowThreads>(sum) / width;
  }
  float squares = 0;
  for (uint32_t i = first; i < width; i += kStep) {
    const Pack<T, N> x = load<N>(input + i);
    for (int j = 0; j < N; ++j) {
      const float distance = toFloat(x.at[j]) - mean;
      squares += distance * distance;
    }
  }
  const float scale = 1.0f / sqrtf(rowSum<kRowThreads>(squares) / width + epsilon);
  for (uint32_t i = first; i < width; i += kStep) {
    const Pack<T, N> x = load<N>(input + i);
    const Pack<T, N> w = load<N>(weight + i);
    Pack<T, N> b{};
    if (bias) b = load<N>(bias + i);
    Pack<T, N> y;
    for (int j = 0; j < N; ++j) {
      const float normal = (toFloat(x.at[j]) - mean) * scale * toFloat(w.at[j]);
      y.at[j] = fromFloat<T>(bias ? normal + toFloat(b.at[j]) : normal);
    }
    store<N>(output + i, y);
  }
}

template <typename T, int N, int kRowThreads>
Launch launchNorm(const Norm& norm) {
  return launchOf(normRows<T, N, kRowThreads>, uint32_t(dividedUp(norm.rows, kBlock / kRowThreads)), kBlock, 0,
                  norm.rows, norm.width, static_cast<const T*>(norm.input), static_cast<const T*>(norm.weight),
                  static_cast<const T*>(norm.bias), norm.epsilon, static_cast<T*>(norm.output));
}

}  // namespace

Launch normLaunch(const Norm& norm) {
  return forType(norm.type, [&](auto element) {
    using T = decltype(element);
    constexpr int kN = 16 / sizeof(T);
    const bool packed = norm.width % kN == 0 && aligned(norm.input, norm.weight, norm.bias, norm.output);
    // Heads' norms have many short rows, a layer's norm few long ones.
    if (norm.width <= 1024) return packed ? launchNorm<T, kN, kWarp>(norm) : launchNorm<T, 1, kWarp>(norm);
    return packed ? launchNorm<T, kN, kBlock>(norm) : launchNorm<T, 1, kBlock>(norm);
  });
}

}  // namespace splitpoint
