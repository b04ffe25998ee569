#include "cpu/attend.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "cpu/clones.h"
#include "cpu/convert.h"
#include "cpu/exponential.h"

namespace splitpoint {
namespace {

// Tokens whose scores are turned into weights together.
constexpr uint32_t kBlockTokens = 64;
// Sums that stay in the first caches while the tokens stream by.
constexpr uint32_t kBlockSums = 8192;

// Of a run of tokens, for each row (sequence and head): the largest score, the sum of e^(score − largest), and the
// values' sum weighted so.
struct Partial {
  float* largest;
  float* sum;
  float* weighted;
};

// Sums of the lanes of four vectors.
SPLITPOINT_INLINE void sumLanes(const Floats (&v)[4], float* out) {
  const Floats low = __builtin_shufflevector(v[0], v[1], 0, 8, 2, 10, 4, 12, 6, 14) +
                     __builtin_shufflevector(v[0], v[1], 1, 9, 3, 11, 5, 13, 7, 15);
  const Floats high = __builtin_shufflevector(v[2], v[3], 0, 8, 2, 10, 4, 12, 6, 14) +
                      __builtin_shufflevector(v[2], v[3], 1, 9, 3, 11, 5, 13, 7, 15);
  const Floats all = __builtin_shufflevector(low, high, 0, 1, 8, 9, 4, 5, 12, 13) +
                     __builtin_shufflevector(low, high, 2, 3, 10, 11, 6, 7, 14, 15);
  for (int i = 0; i < 4; ++i) out[i] = all[i] + all[i + 4];
}

// Tokens that go through the loops together, so that loads and sums of lanes are shared.
constexpr uint32_t kTogether = 4;

// The query's products with as many keys, `stride` apart.
SPLITPOINT_INLINE void dotTogether(const float* query, const float* keys, uint64_t stride, uint32_t count, float* out) {
  Floats sums[kTogether] = {};
  uint32_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const Floats left = floatsAt(query + i);
#pragma GCC unroll 4
    for (uint32_t t = 0; t < kTogether; ++t) sums[t] += left * floatsAt(keys + t * stride + i);
  }
  sumLanes(sums, out);
  for (; i < count; ++i)
    for (uint32_t t = 0; t < kTogether; ++t) out[t] += query[i] * keys[t * stride + i];
}

SPLITPOINT_INLINE float dot(const float* query, const float* key, uint32_t count) {
  float sum = 0;
  for (uint32_t i = 0; i < count; ++i) sum += query[i] * key[i];
  return sum;
}

SPLITPOINT_INLINE void addTogether(const float* weights, const float* values, uint64_t stride, float* to,
                                   uint32_t count) {
  // Copies, because what is written could be the weights for all that a compiler knows.
  const float scale[kTogether] = {weights[0], weights[1], weights[2], weights[3]};
  uint32_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    Floats sum = floatsAt(to + i);
#pragma GCC unroll 4
    for (uint32_t t = 0; t < kTogether; ++t) sum += floatsAt(values + t * stride + i) * scale[t];
    floatsAt(to + i) = sum;
  }
  for (; i < count; ++i)
    for (uint32_t t = 0; t < kTogether; ++t) to[i] += values[t * stride + i] * scale[t];
}

SPLITPOINT_INLINE void addScaled(float scale, const float* from, float* to, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) to[i] += from[i] * scale;
}

// Scores become weights; what was summed before is scaled to a larger maximum. kBlockTokens scores may be read and
// written.
SPLITPOINT_INLINE void weigh(float* scores, uint32_t tokens, float& largest, float& sum, float* weighted,
                             uint32_t headDim) {
  // The scores that are missing weigh nothing.
  std::fill(scores + tokens, scores + kBlockTokens, -std::numeric_limits<float>::infinity());
  Floats high = floatsAt(scores);
  for (uint32_t t = kLanes; t < kBlockTokens; t += kLanes)
    high = floatsAt(scores + t) > high ? floatsAt(scores + t) : high;
  const float before = largest;
  float now = before;
  for (uint32_t lane = 0; lane < kLanes; ++lane) now = std::max(now, high[lane]);
  float scale = 1;
  if (now != before) {
    scale = exponential(before - now);
    for (uint32_t i = 0; i < headDim; ++i) weighted[i] *= scale;
  }
  for (uint32_t t = 0; t < kBlockTokens; ++t) scores[t] = exponential(scores[t] - now);
  Floats sums = floatsAt(scores);
  for (uint32_t t = kLanes; t < kBlockTokens; t += kLanes) sums += floatsAt(scores + t);
  float weights = 0;
  for (uint32_t lane = 0; lane < kLanes; ++lane) weights += sums[lane];
  largest = now;
  sum = sum * scale + weights;
}

struct Scratch {
  std::vector<float> query;
  std::vector<float> scores;
  std::vector<float> widened;
};

struct Rows {
  const float* first;
  uint64_t stride;  // in elements
};

// A head of each of some tokens, where it is or widened. One at a time, so that arithmetic and memory overlap.
SPLITPOINT_INLINE Rows rowsOf(Type type, const char* data, uint64_t stride, uint32_t rows, uint64_t width,
                              Scratch& scratch) {
  if (type == Type::fp32) return {reinterpret_cast<const float*>(data), stride};
  for (uint32_t row = 0; row < rows; ++row)
    widen(type, data + row * stride * bytesOf(type), scratch.widened.data() + row * width, width);
  return {scratch.widened.data(), width};
}

// Key/value heads are counted through all sequences (`pair`), query rows likewise: pair p serves the rows p·group … (p
// + 1)·group − 1. Of the tokens of all segments in a row, those from `first` to `end` − 1.
SPLITPOINT_CLONES
void attendRun(const Attend& a, uint32_t first, uint32_t end, Scratch& scratch, Partial partial) {
  const uint32_t group = a.heads / a.kvHeads;
  const uint32_t pairs = a.batch * a.kvHeads;
  const uint32_t headDim = a.headDim;
  const uint64_t headBytes = headDim * bytesOf(a.type);
  const uint64_t tokenBytes = pairs * headBytes;
  const uint32_t blockPairs = std::clamp(kBlockSums / (group * headDim), 1u, pairs);
  const uint32_t blockRows = blockPairs * group;
  scratch.query.resize(uint64_t(blockRows) * headDim);
  scratch.scores.resize(uint64_t(blockRows) * kBlockTokens);
  scratch.widened.resize(uint64_t(headDim) * kTogether);
  float* const query = scratch.query.data();
  float* const scores = scratch.scores.data();
  const float scale = 1.0f / std::sqrt(float(headDim));

  for (uint32_t firstPair = 0; firstPair < pairs; firstPair += blockPairs) {
    const uint32_t blockEnd = std::min(firstPair + blockPairs, pairs);
    const uint32_t block = blockEnd - firstPair;
    const uint32_t rows = block * group;
    const uint64_t firstRow = uint64_t(firstPair) * group;
    const uint64_t blockOffset = firstPair * headBytes;
    float* const weighted = partial.weighted + firstRow * headDim;
    widen(a.type, static_cast<const char*>(a.query) + firstRow * headBytes, query, uint64_t(rows) * headDim);
    for (uint64_t i = 0; i < uint64_t(rows) * headDim; ++i) query[i] *= scale;
    std::fill_n(weighted, uint64_t(rows) * headDim, 0.0f);
    std::fill_n(partial.largest + firstRow, rows, -std::numeric_limits<float>::infinity());
    std::fill_n(partial.sum + firstRow, rows, 0.0f);

    uint32_t segmentStart = 0;
    for (int s = 0; s < a.segments; segmentStart += a.segment[s].tokens, ++s) {
      const uint32_t segmentEnd = std::min(segmentStart + a.segment[s].tokens, end);
      for (uint32_t token = std::max(first, segmentStart); token < segmentEnd; token += kBlockTokens) {
        const uint32_t tokens = std::min(kBlockTokens, segmentEnd - token);
        const uint64_t offset = (token - segmentStart) * tokenBytes + blockOffset;
        const char* keys = static_cast<const char*>(a.segment[s].keys) + offset;
        const char* values = static_cast<const char*>(a.segment[s].values) + offset;
        const uint32_t together = tokens / kTogether * kTogether;
        for (uint32_t t = 0; t < tokens; t += t < together ? kTogether : 1) {
          for (uint32_t pair = 0; pair < block; ++pair) {
            const Rows key = rowsOf(a.type, keys + t * tokenBytes + pair * headBytes, uint64_t(pairs) * headDim,
                                    t < together ? kTogether : 1, headDim, scratch);
            for (uint32_t row = pair * group; row < (pair + 1) * group; ++row) {
              const float* left = query + uint64_t(row) * headDim;
              const float* right = key.first;
              float* score = scores + row * kBlockTokens + t;
              if (t < together) {
                dotTogether(left, right, key.stride, headDim, score);
              } else {
                *score = dot(left, right, headDim);
              }
            }
          }
        }
        for (uint32_t row = 0; row < rows; ++row)
          weigh(scores + row * kBlockTokens, tokens, partial.largest[firstRow + row], partial.sum[firstRow + row],
                weighted + uint64_t(row) * headDim, headDim);
        for (uint32_t t = 0; t < tokens; t += t < together ? kTogether : 1) {
          for (uint32_t pair = 0; pair < block; ++pair) {
            const Rows value = rowsOf(a.type, values + t * tokenBytes + pair * headBytes, uint64_t(pairs) * headDim,
                                      t < together ? kTogether : 1, headDim, scratch);
            for (uint32_t row = pair * group; row < (pair + 1) * group; ++row) {
              const float* weight = scores + row * kBlockTokens + t;
              const float* from = value.first;
              float* to = weighted + uint64_t(row) * headDim;
              if (t < together) {
                addTogether(weight, from, value.stride, to, headDim);
              } else {
                addScaled(*weight, from, to, headDim);
              }
            }
          }
        }
      }
    }
  }
}

// The runs' partial results of some rows into the first one's, normalised, and out.
SPLITPOINT_CLONES
void combine(const Attend& a, const std::vector<Partial>& partials, uint32_t firstRow, uint32_t endRow) {
  for (uint32_t row = firstRow; row < endRow; ++row) {
    float largest = partials[0].largest[row];
    for (const Partial& partial : partials) largest = std::max(largest, partial.largest[row]);
    float* const output = partials[0].weighted + uint64_t(row) * a.headDim;
    float sum = 0;
    for (size_t p = 0; p < partials.size(); ++p) {
      const float scale = exponential(partials[p].largest[row] - largest);
      sum += scale * partials[p].sum[row];
      if (p == 0) {
        for (uint32_t i = 0; i < a.headDim; ++i) output[i] *= scale;
      } else {
        addScaled(scale, partials[p].weighted + uint64_t(row) * a.headDim, output, a.headDim);
      }
    }
    for (uint32_t i = 0; i < a.headDim; ++i) output[i] /= sum;
    narrow(a.type, output, static_cast<char*>(a.output) + uint64_t(row) * a.headDim * bytesOf(a.type), a.headDim);
    if (a.logSumExp) a.logSumExp[row] = largest + std::log(sum);
  }
}

}  // namespace

void attendOnHost(const Attend& attend, ThreadPool& pool) {
  // Kept from call to call, so that page faults do not fall into timings.
  static thread_local std::vector<float> memory;
  const uint32_t rows = attend.batch * attend.heads;
  uint32_t tokens = 0;
  for (int s = 0; s < attend.segments; ++s) tokens += attend.segment[s].tokens;
  if (tokens == 0) throw DeviceError("attention over no tokens has no result");
  const uint32_t runs = std::min(pool.threads(), tokens);
  const uint64_t partialFloats = uint64_t(rows) * (attend.headDim + 2);
  if (memory.size() < runs * partialFloats) memory.resize(runs * partialFloats);
  std::vector<Partial> partials;
  for (uint32_t run = 0; run < runs; ++run) {
    float* start = memory.data() + run * partialFloats;
    partials.push_back({.largest = start, .sum = start + rows, .weighted = start + 2 * uint64_t(rows)});
  }
  pool.run([&](uint32_t thread) {
    static thread_local Scratch scratch;
    if (thread < runs)
      attendRun(attend, uint32_t(uint64_t(tokens) * thread / runs), uint32_t(uint64_t(tokens) * (thread + 1) / runs),
                scratch, partials[thread]);
  });
  const uint32_t threads = pool.threads();
  pool.run([&](uint32_t thread) {
    combine(attend, partials, uint32_t(uint64_t(rows) * thread / threads),
            uint32_t(uint64_t(rows) * (thread + 1) / threads));
  });
}

}  // namespace splitpoint
