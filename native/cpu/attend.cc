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

SPLITPOINT_INLINE float dot(const float* a, const float* b, uint32_t count) {
  Floats sums[4] = {};
  uint32_t i = 0;
  for (; i + 4 * kLanes <= count; i += 4 * kLanes) {
    sums[0] += floatsAt(a + i) * floatsAt(b + i);
    sums[1] += floatsAt(a + i + kLanes) * floatsAt(b + i + kLanes);
    sums[2] += floatsAt(a + i + 2 * kLanes) * floatsAt(b + i + 2 * kLanes);
    sums[3] += floatsAt(a + i + 3 * kLanes) * floatsAt(b + i + 3 * kLanes);
  }
  for (; i + kLanes <= count; i += kLanes) sums[0] += floatsAt(a + i) * floatsAt(b + i);
  const Floats four = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  float sum = ((four[0] + four[1]) + (four[2] + four[3])) + ((four[4] + four[5]) + (four[6] + four[7]));
  for (; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

SPLITPOINT_INLINE void addScaled(float scale, const float* from, float* to, uint32_t count) {
  uint32_t i = 0;
  for (; i + kLanes <= count; i += kLanes) floatsAt(to + i) += floatsAt(from + i) * scale;
  for (; i < count; ++i) to[i] += from[i] * scale;
}

SPLITPOINT_INLINE float largestOf(const float* numbers, uint32_t count) {
  float largest = numbers[0];
  for (uint32_t i = 1; i < count; ++i) largest = std::max(largest, numbers[i]);
  return largest;
}

// Scores become weights; what was summed before is scaled to a larger maximum.
SPLITPOINT_INLINE void weigh(float* scores, uint32_t tokens, float& largest, float& sum, float* weighted,
                             uint32_t headDim) {
  const float before = largest;
  largest = std::max(before, largestOf(scores, tokens));
  if (largest != before) {
    const float scale = exponential(before - largest);
    sum *= scale;
    for (uint32_t i = 0; i < headDim; ++i) weighted[i] *= scale;
  }
  for (uint32_t t = 0; t < tokens; ++t) scores[t] = exponential(scores[t] - largest);
  for (uint32_t t = 0; t < tokens; ++t) sum += scores[t];
}

struct Scratch {
  std::vector<float> query;
  std::vector<float> scores;
  std::vector<float> widened;
};

// Key/value heads are counted through all sequences (`pair`), query rows likewise: pair p serves the rows p·group … (p
// + 1)·group − 1. Of the tokens of all segments in a row, those from `first` to `end` − 1.
SPLITPOINT_CLONES
void attendRun(const Attend& a, uint32_t first, uint32_t end, Scratch& scratch, Partial partial) {
  const uint32_t group = a.heads / a.kvHeads;
  const uint32_t pairs = a.batch * a.kvHeads;
  const uint32_t headDim = a.headDim;
  const uint64_t elementBytes = bytesOf(a.type);
  const uint64_t tokenBytes = uint64_t(pairs) * headDim * elementBytes;
  const uint32_t blockPairs = std::clamp(kBlockSums / (group * headDim), 1u, pairs);
  const uint32_t blockRows = blockPairs * group;
  scratch.query.resize(uint64_t(blockRows) * headDim);
  scratch.scores.resize(uint64_t(blockRows) * kBlockTokens);
  scratch.widened.resize(uint64_t(blockPairs) * headDim);
  float* const query = scratch.query.data();
  float* const scores = scratch.scores.data();
  const float scale = 1.0f / std::sqrt(float(headDim));

  for (uint32_t firstPair = 0; firstPair < pairs; firstPair += blockPairs) {
    const uint32_t blockEnd = std::min(firstPair + blockPairs, pairs);
    const uint32_t block = blockEnd - firstPair;
    const uint32_t rows = block * group;
    const uint64_t firstRow = uint64_t(firstPair) * group;
    const uint64_t blockOffset = uint64_t(firstPair) * headDim * elementBytes;
    float* const weighted = partial.weighted + firstRow * headDim;
    widen(a.type, static_cast<const char*>(a.query) + firstRow * headDim * elementBytes, query,
          uint64_t(rows) * headDim);
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
        for (uint32_t t = 0; t < tokens; ++t) {
          const float* key = asFloats(a.type, keys + t * tokenBytes, scratch.widened.data(), uint64_t(block) * headDim);
          for (uint32_t row = 0; row < rows; ++row)
            scores[row * kBlockTokens + t] =
                dot(query + uint64_t(row) * headDim, key + uint64_t(row / group) * headDim, headDim);
        }
        for (uint32_t row = 0; row < rows; ++row)
          weigh(scores + row * kBlockTokens, tokens, partial.largest[firstRow + row], partial.sum[firstRow + row],
                weighted + uint64_t(row) * headDim, headDim);
        for (uint32_t t = 0; t < tokens; ++t) {
          const float* value =
              asFloats(a.type, values + t * tokenBytes, scratch.widened.data(), uint64_t(block) * headDim);
          for (uint32_t row = 0; row < rows; ++row)
            addScaled(scores[row * kBlockTokens + t], value + uint64_t(row / group) * headDim,
                      weighted + uint64_t(row) * headDim, headDim);
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
