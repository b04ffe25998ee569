#include <algorithm>
#include <cmath>
#include <string>

#include "cuda/kernels.h"
#include "cuda/numbers.cuh"

namespace splitpoint {
namespace {

constexpr int kBlock = 256;
constexpr uint32_t kMaxPairs = 128;

struct Frequencies {
  double radiansPerToken[kMaxPairs];
};

// Block x turns token x. The angle is reduced in double, as fp32 leaves an error of position · 6e-8.
template <typename T, int N>
__global__ void turnPairs(T* data, uint32_t firstPosition, uint32_t heads, uint32_t pairs,
                          const __grid_constant__ Frequencies frequencies) {
  __shared__ float cosines[kMaxPairs], sines[kMaxPairs];
  for (uint32_t i = threadIdx.x; i < pairs; i += kBlock) {
    constexpr double kTurn = 6.283185307179586;
    const double angle = double(firstPosition + blockIdx.x) * frequencies.radiansPerToken[i];
    sincosf(float(angle - kTurn * rint(angle / kTurn)), &sines[i], &cosines[i]);
  }
  __syncthreads();
  T* const token = data + uint64_t(blockIdx.x) * heads * pairs * 2;
  const uint32_t packs = pairs / N;
  for (uint32_t j = blockIdx.y * kBlock + threadIdx.x; j < heads * packs; j += gridDim.y * kBlock) {
    const uint32_t first = j % packs * N;
    T* const low = token + uint64_t(j / packs) * pairs * 2 + first;
    Pack<T, N> x = load<N>(low), y = load<N>(low + pairs);
    for (int i = 0; i < N; ++i) {
      const float a = toFloat(x.at[i]), b = toFloat(y.at[i]);
      const float cosine = cosines[first + i], sine = sines[first + i];
      x.at[i] = fromFloat<T>(a * cosine - b * sine);
      y.at[i] = fromFloat<T>(b * cosine + a * sine);
    }
    store<N>(low, x);
    store<N>(low + pairs, y);
  }
}

template <typename T, int N>
Launch launchRope(const Rope& rope, const Frequencies& frequencies) {
  const uint32_t pairs = rope.headDim / 2;
  // Some four packs a thread, so that the table is worth its making.
  const uint64_t blocks = dividedUp(uint64_t(rope.headsPerToken) * (pairs / N), kBlock * 4);
  const dim3 grid(rope.tokens, uint32_t(std::clamp<uint64_t>(blocks, 1, 65535)));
  return launchOf(turnPairs<T, N>, grid, kBlock, 0, static_cast<T*>(rope.data), rope.firstPosition, rope.headsPerToken,
                  pairs, frequencies);
}

}  // namespace

Launch ropeLaunch(const Rope& rope) {
  const uint32_t pairs = rope.headDim / 2;
  if (rope.headDim % 2 || pairs > kMaxPairs)
    throw DeviceError("rotary embedding on CUDA takes an even head width up to 256, found " +
                      std::to_string(rope.headDim));
  Frequencies frequencies{};
  for (uint32_t i = 0; i < pairs; ++i)
    frequencies.radiansPerToken[i] = std::pow(double(rope.theta), -2.0 * i / rope.headDim);
  return forType(rope.type, [&](auto element) {
    using T = decltype(element);
    constexpr int kN = 16 / sizeof(T);
    return pairs % kN == 0 && aligned(rope.data) ? launchRope<T, kN>(rope, frequencies)
                                                 : launchRope<T, 1>(rope, frequencies);
  });
}

}  // namespace splitpoint
