#include <algorithm>

#include "core/random.h"
#include "cuda/kernels.h"
#include "cuda/numbers.cuh"

namespace splitpoint {
namespace {

constexpr int kBlock = 256;

// Blocks for so many threads, of which each may do several items.
uint32_t blocksFor(uint64_t items) { return uint32_t(std::clamp<uint64_t>(dividedUp(items, kBlock), 1, 1u << 16)); }

__device__ uint64_t firstItem() { return uint64_t(blockIdx.x) * kBlock + threadIdx.x; }
__device__ uint64_t itemStep() { return uint64_t(gridDim.x) * kBlock; }

template <typename T>
constexpr int kPack = 16 / sizeof(T);

template <typename T>
__global__ void fillNumbers(T* target, uint64_t count, uint64_t seed, uint64_t firstIndex, float scale, float shift) {
  for (uint64_t i = firstItem(); i < count; i += itemStep())
    target[i] = fromFloat<T>(filledAt(seed, firstIndex + i, scale, shift));
}

// Block x makes the row of sequence x.
template <typename T, int N>
__global__ void embedTokens(const T* table, uint32_t vocab, const T* position, uint32_t microBatch, uint32_t step,
                            uint32_t width, T* output) {
  const uint64_t token = drawnToken(vocab, microBatch, blockIdx.x, step);
  for (uint32_t i = (blockIdx.y * kBlock + threadIdx.x) * N; i < width; i += gridDim.y * kBlock * N) {
    Pack<T, N> x = load<N>(table + token * width + i);
    if (position) {
      const Pack<T, N> p = load<N>(position + i);
      for (int j = 0; j < N; ++j) x.at[j] = fromFloat<T>(toFloat(x.at[j]) + toFloat(p.at[j]));
    }
    store<N>(output + uint64_t(blockIdx.x) * width + i, x);
  }
}

template <typename T, int N>
__global__ void activateNumbers(uint64_t packs, bool silu, const T* gate, const T* up, T* output) {
  for (uint64_t i = firstItem(); i < packs; i += itemStep()) {
    Pack<T, N> x = load<N>(gate + i * N);
    Pack<T, N> factor{};
    if (up) factor = load<N>(up + i * N);
    for (int j = 0; j < N; ++j) {
      const float value = toFloat(x.at[j]);
      // Not fmaxf, which would hide a NaN.
      float y = silu ? value / (1.0f + expf(-value)) : (value < 0 ? 0.0f : value);
      if (up) y *= toFloat(factor.at[j]);
      x.at[j] = fromFloat<T>(y);
    }
    store<N>(output + i * N, x);
  }
}

template <typename T, int N>
__global__ void mergeRows(uint32_t rows, uint32_t packsPerRow, const T* other, const float* otherLogSumExp,
                          const float* ownLogSumExp, T* attended) {
  for (uint64_t i = firstItem(); i < uint64_t(rows) * packsPerRow; i += itemStep()) {
    const float own = ownLogSumExp[i / packsPerRow], others = otherLogSumExp[i / packsPerRow];
    // e^own / (e^own + e^others), without overflow.
    const float ownShare = 1.0f / (1.0f + expf(others - own));
    const float otherShare = 1.0f / (1.0f + expf(own - others));
    Pack<T, N> x = load<N>(attended + i * N);
    const Pack<T, N> y = load<N>(other + i * N);
    for (int j = 0; j < N; ++j) x.at[j] = fromFloat<T>(ownShare * toFloat(x.at[j]) + otherShare * toFloat(y.at[j]));
    store<N>(attended + i * N, x);
  }
}

template <typename U>
struct Places {
  U* keys[kMaxAppendTargets];
  U* values[kMaxAppendTargets];
};

template <typename U>
__global__ void appendToken(uint64_t count, const U* keys, const U* values, int targets, Places<U> places) {
  for (uint64_t i = firstItem(); i < count; i += itemStep()) {
    const U key = keys[i], value = values[i];
#pragma unroll
    for (int target = 0; target < kMaxAppendTargets; ++target) {
      if (target >= targets) break;
      places.keys[target][i] = key;
      places.values[target][i] = value;
    }
  }
}

template <typename T, typename C, int N>
__global__ void addBias(uint64_t m, uint64_t n, const T* bias, bool accumulate, C* c) {
  const uint64_t column = firstItem() * N;
  if (column >= n) return;
  const Pack<T, N> b = load<N>(bias + column);
  for (uint64_t row = blockIdx.y; row < m; row += gridDim.y) {
    C* const at = c + row * n + column;
    Pack<C, N> x{};
    if (accumulate) x = load<N>(at);
    for (int j = 0; j < N; ++j)
      x.at[j] = fromFloat<C>(accumulate ? toFloat(x.at[j]) + toFloat(b.at[j]) : toFloat(b.at[j]));
    store<N>(at, x);
  }
}

template <typename T, int N>
Launch launchEmbed(const Embed& embed) {
  const T* position = static_cast<const T*>(embed.positions);
  if (position) position += uint64_t(embed.position % embed.learnedPositions) * embed.width;
  const dim3 grid(embed.batch, uint32_t(std::clamp<uint64_t>(dividedUp(embed.width / N, kBlock), 1, 65535)));
  return launchOf(embedTokens<T, N>, grid, kBlock, 0, static_cast<const T*>(embed.table), embed.vocab, position,
                  embed.microBatch, embed.position, embed.width, static_cast<T*>(embed.output));
}

template <typename T, int N>
Launch launchActivate(const Activate& activate) {
  const uint64_t packs = activate.count / N;
  return launchOf(activateNumbers<T, N>, blocksFor(packs), kBlock, 0, packs, activate.silu,
                  static_cast<const T*>(activate.gate), static_cast<const T*>(activate.up),
                  static_cast<T*>(activate.output));
}

template <typename T, int N>
Launch launchMerge(const Merge& merge) {
  const uint32_t packsPerRow = merge.headDim / N;
  return launchOf(mergeRows<T, N>, blocksFor(uint64_t(merge.rows) * packsPerRow), kBlock, 0, merge.rows, packsPerRow,
                  static_cast<const T*>(merge.other), merge.otherLogSumExp, merge.ownLogSumExp,
                  static_cast<T*>(merge.attended));
}

template <typename U>
Launch launchAppend(const Append& append) {
  Places<U> places{};
  for (int i = 0; i < append.targets; ++i) {
    places.keys[i] = static_cast<U*>(append.target[i].keys);
    places.values[i] = static_cast<U*>(append.target[i].values);
  }
  const uint64_t count = append.bytes / sizeof(U);
  return launchOf(appendToken<U>, blocksFor(count), kBlock, 0, count, static_cast<const U*>(append.keys),
                  static_cast<const U*>(append.values), append.targets, places);
}

template <typename T, typename C, int N>
Launch launchBias(const Gemm& gemm) {
  const dim3 grid(uint32_t(dividedUp(gemm.n / N, kBlock)), uint32_t(std::min<uint64_t>(gemm.m, 65535)));
  return launchOf(addBias<T, C, N>, grid, kBlock, 0, gemm.m, gemm.n, static_cast<const T*>(gemm.bias), gemm.accumulate,
                  static_cast<C*>(gemm.c));
}

template <typename T, typename C>
Launch chooseBias(const Gemm& gemm) {
  return gemm.n % kPack<T> == 0 && aligned(gemm.bias, gemm.c) ? launchBias<T, C, kPack<T>>(gemm)
                                                              : launchBias<T, C, 1>(gemm);
}

}  // namespace

Launch fillLaunch(const Fill& fill) {
  return forType(fill.type, [&](auto element) {
    using T = decltype(element);
    return launchOf(fillNumbers<T>, blocksFor(fill.count), kBlock, 0, static_cast<T*>(fill.target), fill.count,
                    fill.seed, fill.firstIndex, fill.scale, fill.shift);
  });
}

Launch embedLaunch(const Embed& embed) {
  return forType(embed.type, [&](auto element) {
    using T = decltype(element);
    const bool packed = embed.width % kPack<T> == 0 && aligned(embed.table, embed.positions, embed.output);
    return packed ? launchEmbed<T, kPack<T>>(embed) : launchEmbed<T, 1>(embed);
  });
}

Launch activateLaunch(const Activate& activate) {
  return forType(activate.type, [&](auto element) {
    using T = decltype(element);
    const bool packed = activate.count % kPack<T> == 0 && aligned(activate.gate, activate.up, activate.output);
    return packed ? launchActivate<T, kPack<T>>(activate) : launchActivate<T, 1>(activate);
  });
}

Launch mergeLaunch(const Merge& merge) {
  return forType(merge.type, [&](auto element) {
    using T = decltype(element);
    const bool packed = merge.headDim % kPack<T> == 0 && aligned(merge.other, merge.attended);
    return packed ? launchMerge<T, kPack<T>>(merge) : launchMerge<T, 1>(merge);
  });
}

Launch appendLaunch(const Append& append) {
  bool packed = append.bytes % 16 == 0 && aligned(append.keys, append.values);
  for (int i = 0; i < append.targets; ++i) packed &= aligned(append.target[i].keys, append.target[i].values);
  return packed ? launchAppend<uint4>(append) : launchAppend<uint8_t>(append);
}

Launch biasLaunch(const Gemm& gemm) {
  return forType(gemm.type, [&](auto element) {
    using T = decltype(element);
    return gemm.fp32Output ? chooseBias<T, float>(gemm) : chooseBias<T, T>(gemm);
  });
}

}  // namespace splitpoint
