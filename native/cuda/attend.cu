#include <algorithm>
#include <cmath>
#include <string>

#include "cuda/kernels.h"
#include "cuda/numbers.cuh"

// Attention of one query token a sequence, bound by reading the cache. A block takes a pair of sequence and key/value
// head and a run of the tokens. Its lanes form teams, each wide enough for a head, 8 elements a lane; a team goes
// through every so many tokens with an online softmax of its own, several tokens at a time, so that enough loads are
// under way. All query heads of a group share what was loaded: up to four in a team's registers, more in further warps
// of the block, which find it in the L1 cache. Where runs are several, a second kernel combines them.

namespace splitpoint {
namespace {

constexpr int kWarp = 32;
constexpr int kWarps = 8;
constexpr int kBlocksPerMultiprocessor = 2;
constexpr int kLaneElements = 8;
constexpr uint32_t kMaxHeadDim = kWarp * kLaneElements;
// Four head sets of up to four heads: groups of up to 16 query heads read the cache once.
constexpr uint32_t kMaxHeadSets = 4;
constexpr uint32_t kMaxRuns = 1024;
constexpr uint32_t kMaxTokens = 1u << 30;
constexpr int kCombineBlock = 128;
// Below every score, and finite, so that differences are.
constexpr float kLowest = -1e30f;

struct Arguments {
  const void* query;
  CacheSegment segment[kMaxSegments];
  int segments;
  uint32_t headDim;
  uint32_t groupHeads;  // query heads of a key/value head
  uint32_t headSets;    // of a block, a warp has one
  uint32_t tokenWarps;  // warps of a block with the same heads
  uint32_t blocksPerPair;
  uint32_t tokenStride;  // elements
  uint32_t tokens, tokensPerRun;
  void* output;
  float* logSumExp;
  // Where runs are several: runs × rows × headDim results, then runs × rows logarithms to base 2.
  float* partials;
};

// The largest score (to base 2) of some tokens, the sum of 2^(score − largest), and the values weighted so; in one
// lane.
struct Sum {
  float largest = kLowest;
  float weight = 0;
  float values[kLaneElements] = {};
};

template <typename T, int kTeam, int kHeads, int kTokens>
__global__ __launch_bounds__(kWarps* kWarp,
                             kBlocksPerMultiprocessor) void attendRuns(const __grid_constant__ Arguments arguments) {
  constexpr uint32_t kTeams = kWarp / kTeam;  // of a warp
  const uint32_t lane = threadIdx.x % kTeam;
  const uint32_t team = threadIdx.x % kWarp / kTeam;
  const uint32_t warp = threadIdx.x / kWarp;
  const uint32_t headSet = warp % arguments.headSets;
  const uint32_t tokenWarp = warp / arguments.headSets;
  const uint32_t headDim = arguments.headDim;
  const uint32_t pair = blockIdx.x / arguments.blocksPerPair;  // sequence · kvHeads + key/value head
  const uint32_t firstHead =
      (blockIdx.x % arguments.blocksPerPair * arguments.headSets + headSet) * kHeads;  // within the group
  const uint64_t groupRow = uint64_t(pair) * arguments.groupHeads;  // the group's first row of query and output
  const uint32_t element = lane * kLaneElements;
  const bool holds = element < headDim;

  // Scaled, so that scores are to base 2. Heads beyond the group stay 0.
  float query[kHeads][kLaneElements] = {};
  const float scale = 1.44269504f / sqrtf(float(headDim));
#pragma unroll
  for (int h = 0; h < kHeads; ++h) {
    if (!holds || firstHead + h >= arguments.groupHeads) continue;
    const T* from = static_cast<const T*>(arguments.query) + (groupRow + firstHead + h) * headDim + element;
    const Pack<T, kLaneElements> x = load<kLaneElements>(from);
#pragma unroll
    for (int i = 0; i < kLaneElements; ++i) query[h][i] = toFloat(x.at[i]) * scale;
  }

  Sum sum[kHeads];
  const uint32_t runFirst = blockIdx.y * arguments.tokensPerRun;
  const uint32_t runEnd = min(runFirst + arguments.tokensPerRun, arguments.tokens);
  const uint32_t step = arguments.tokenWarps * kTeams;
  uint32_t segmentFirst = 0;
  for (int s = 0; s < arguments.segments; ++s) {
    const CacheSegment& segment = arguments.segment[s];
    // The run's part of the segment, counted from the segment's begin.
    const uint32_t from = max(runFirst, segmentFirst) - segmentFirst;
    const uint32_t to = min(max(runEnd, segmentFirst) - segmentFirst, segment.tokens);
    segmentFirst += segment.tokens;
    const uint64_t offset = uint64_t(pair) * headDim + (holds ? element : 0);
    const T* const keys = static_cast<const T*>(segment.keys) + offset;
    const T* const values = static_cast<const T*>(segment.values) + offset;
    // The bounds are the same for the whole block; teams differ in which of their tokens exist. Those that do not are
    // read as the last one, without a branch between the loads, and have no weight.
    for (uint32_t base = from; base < to; base += step * kTokens) {
      const uint32_t first = base + tokenWarp * kTeams + team;
      Pack<T, kLaneElements> key[kTokens], value[kTokens];
#pragma unroll
      for (int t = 0; t < kTokens; ++t)
        key[t] = load<kLaneElements>(keys + uint64_t(min(first + t * step, to - 1)) * arguments.tokenStride);
#pragma unroll
      for (int t = 0; t < kTokens; ++t)
        value[t] = load<kLaneElements>(values + uint64_t(min(first + t * step, to - 1)) * arguments.tokenStride);

      float score[kTokens][kHeads];
#pragma unroll
      for (int t = 0; t < kTokens; ++t) {
#pragma unroll
        for (int h = 0; h < kHeads; ++h) score[t][h] = 0;
#pragma unroll
        for (int i = 0; i < kLaneElements; ++i) {
          const float x = toFloat(key[t].at[i]);
#pragma unroll
          for (int h = 0; h < kHeads; ++h) score[t][h] += query[h][i] * x;
        }
#pragma unroll
        for (int h = 0; h < kHeads; ++h) {
#pragma unroll
          for (int distance = kTeam / 2; distance > 0; distance /= 2)
            score[t][h] += __shfl_xor_sync(0xffffffffu, score[t][h], distance);
          if (first + t * step >= to) score[t][h] = -INFINITY;
        }
      }
#pragma unroll
      for (int h = 0; h < kHeads; ++h) {
        float largest = sum[h].largest;
#pragma unroll
        for (int t = 0; t < kTokens; ++t) largest = fmaxf(largest, score[t][h]);
        const float shrink = exp2f(sum[h].largest - largest);
        sum[h].largest = largest;
        sum[h].weight *= shrink;
#pragma unroll
        for (int i = 0; i < kLaneElements; ++i) sum[h].values[i] *= shrink;
#pragma unroll
        for (int t = 0; t < kTokens; ++t) {
          score[t][h] = exp2f(score[t][h] - largest);
          sum[h].weight += score[t][h];
        }
      }
#pragma unroll
      for (int t = 0; t < kTokens; ++t)
#pragma unroll
        for (int i = 0; i < kLaneElements; ++i) {
          const float x = toFloat(value[t].at[i]);
#pragma unroll
          for (int h = 0; h < kHeads; ++h) sum[h].values[i] += score[t][h] * x;
        }
    }
  }

  // Over the teams of a warp.
#pragma unroll
  for (int h = 0; h < kHeads; ++h)
#pragma unroll
    for (int distance = kTeam; distance < kWarp; distance *= 2) {
      const float largest = fmaxf(sum[h].largest, __shfl_xor_sync(0xffffffffu, sum[h].largest, distance));
      const float shrink = exp2f(sum[h].largest - largest);
      sum[h].largest = largest;
      sum[h].weight *= shrink;
      sum[h].weight += __shfl_xor_sync(0xffffffffu, sum[h].weight, distance);
#pragma unroll
      for (int i = 0; i < kLaneElements; ++i) {
        sum[h].values[i] *= shrink;
        sum[h].values[i] += __shfl_xor_sync(0xffffffffu, sum[h].values[i], distance);
      }
    }

  // Over the warps of a block.
  __shared__ float largests[kWarps][kHeads], weights[kWarps][kHeads];
  __shared__ float totals[kWarps][kHeads][kTeam * kLaneElements];
  if (team == 0) {
#pragma unroll
    for (int h = 0; h < kHeads; ++h) {
      if (lane == 0) {
        largests[warp][h] = sum[h].largest;
        weights[warp][h] = sum[h].weight;
      }
#pragma unroll
      for (int i = 0; i < kLaneElements; ++i) totals[warp][h][element + i] = sum[h].values[i];
    }
  }
  __syncthreads();
  const uint32_t blockHead = blockIdx.x % arguments.blocksPerPair * arguments.headSets * kHeads;
  const uint64_t rows = uint64_t(gridDim.x / arguments.blocksPerPair) * arguments.groupHeads;
  for (uint32_t j = threadIdx.x; j < arguments.headSets * kHeads * headDim; j += blockDim.x) {
    const uint32_t head = j / headDim, d = j % headDim;
    if (blockHead + head >= arguments.groupHeads) break;
    const uint32_t set = head / kHeads, h = head % kHeads;
    float largest = kLowest;
    for (uint32_t w = set; w < arguments.tokenWarps * arguments.headSets; w += arguments.headSets)
      largest = fmaxf(largest, largests[w][h]);
    float weight = 0, total = 0;
    for (uint32_t w = set; w < arguments.tokenWarps * arguments.headSets; w += arguments.headSets) {
      const float shrink = exp2f(largests[w][h] - largest);
      weight += shrink * weights[w][h];
      total += shrink * totals[w][h][d];
    }
    const float result = total / weight;
    const float logWeight = largest + log2f(weight);
    const uint64_t row = groupRow + blockHead + head;
    if (gridDim.y > 1) {
      arguments.partials[(blockIdx.y * rows + row) * headDim + d] = result;
      if (d == 0) arguments.partials[gridDim.y * rows * headDim + blockIdx.y * rows + row] = logWeight;
    } else {
      static_cast<T*>(arguments.output)[row * headDim + d] = fromFloat<T>(result);
      if (d == 0 && arguments.logSumExp) arguments.logSumExp[row] = logWeight * 0.69314718f;
    }
  }
}

// Block x combines the runs of row x.
template <typename T>
__global__ void combineRuns(uint32_t runs, uint32_t headDim, const float* partials, T* output, float* logSumExp) {
  __shared__ float shares[kMaxRuns];
  const uint64_t rows = gridDim.x, row = blockIdx.x;
  const float* const logWeights = partials + runs * rows * headDim + row;
  float largest = kLowest;
  for (uint32_t run = 0; run < runs; ++run) largest = fmaxf(largest, logWeights[run * rows]);
  for (uint32_t run = threadIdx.x; run < runs; run += kCombineBlock)
    shares[run] = exp2f(logWeights[run * rows] - largest);
  __syncthreads();
  float weight = 0;
  for (uint32_t run = 0; run < runs; ++run) weight += shares[run];
  for (uint32_t d = threadIdx.x; d < headDim; d += kCombineBlock) {
    float total = 0;
    for (uint32_t run = 0; run < runs; ++run) total += shares[run] * partials[(run * rows + row) * headDim + d];
    output[row * headDim + d] = fromFloat<T>(total / weight);
  }
  if (threadIdx.x == 0 && logSumExp) logSumExp[row] = (largest + log2f(weight)) * 0.69314718f;
}

// How many runs to cut the tokens into, so that the last of the rounds in which blocks come to the multiprocessors is
// nearly full: the fewest that leave at most a tenth idle, or the best there are.
uint32_t chooseRuns(uint64_t blocks, uint64_t blocksAtOnce, uint32_t most) {
  uint32_t best = 1;
  double bestFilled = 0;
  for (uint32_t runs = 1; runs <= most; ++runs) {
    const uint64_t rounds = dividedUp(blocks * runs, blocksAtOnce);
    const double filled = double(blocks * runs) / double(rounds * blocksAtOnce);
    if (filled > bestFilled + 0.01) best = runs, bestFilled = filled;
    if (filled >= 0.9) break;
  }
  return best;
}

template <typename T, int kTeam, int kHeads>
Launch launchAttend(const Attend& attend, const AttendWorkspace& workspace) {
  // With one head there are registers for more loads under way; fp32 takes twice as many.
  constexpr int kTokens = (kHeads == 1 ? 16 : 8) / int(sizeof(T));
  Arguments arguments{};
  arguments.query = attend.query;
  for (int s = 0; s < attend.segments; ++s) {
    arguments.segment[s] = attend.segment[s];
    arguments.tokens += attend.segment[s].tokens;
  }
  arguments.segments = attend.segments;
  arguments.headDim = attend.headDim;
  arguments.groupHeads = attend.heads / attend.kvHeads;
  const uint32_t headSets = uint32_t(dividedUp(arguments.groupHeads, kHeads));
  arguments.headSets = std::min(headSets, kMaxHeadSets);
  arguments.tokenWarps = kWarps / arguments.headSets;
  arguments.blocksPerPair = uint32_t(dividedUp(headSets, arguments.headSets));
  arguments.tokenStride = attend.batch * attend.kvHeads * attend.headDim;
  arguments.output = attend.output;
  arguments.logSumExp = attend.logSumExp;
  arguments.partials = workspace.partials;

  const uint32_t blocks = attend.batch * attend.kvHeads * arguments.blocksPerPair;
  const uint64_t rows = uint64_t(attend.batch) * attend.heads;
  const uint32_t tokensAtOnce = arguments.tokenWarps * (kWarp / kTeam) * kTokens;
  const uint64_t most = std::min({dividedUp(arguments.tokens, tokensAtOnce),
                                  workspace.floats / (rows * (attend.headDim + 1)), uint64_t(kMaxRuns)});
  const uint64_t blocksAtOnce = uint64_t(workspace.multiprocessors) * kBlocksPerMultiprocessor;
  const uint32_t wanted = chooseRuns(blocks, blocksAtOnce, uint32_t(std::max<uint64_t>(most, 1)));
  arguments.tokensPerRun = uint32_t(dividedUp(arguments.tokens, wanted));
  const uint32_t runs = uint32_t(dividedUp(arguments.tokens, arguments.tokensPerRun));

  const uint32_t threads = arguments.headSets * arguments.tokenWarps * kWarp;
  Launch attendLaunch = launchOf(attendRuns<T, kTeam, kHeads, kTokens>, dim3(blocks, runs), threads, 0, arguments);
  if (runs == 1) return attendLaunch;
  Launch combineLaunch = launchOf(combineRuns<T>, uint32_t(rows), kCombineBlock, 0, runs, attend.headDim,
                                  workspace.partials, static_cast<T*>(attend.output), attend.logSumExp);
  return [attendLaunch, combineLaunch](cudaStream_t stream) {
    attendLaunch(stream);
    combineLaunch(stream);
  };
}

template <typename T, int kTeam>
Launch chooseHeads(const Attend& attend, const AttendWorkspace& workspace) {
  return attend.heads == attend.kvHeads ? launchAttend<T, kTeam, 1>(attend, workspace)
                                        : launchAttend<T, kTeam, 4>(attend, workspace);
}

}  // namespace

Launch attendLaunch(const Attend& attend, const AttendWorkspace& workspace) {
  bool packed = aligned(attend.query);
  uint64_t tokens = 0;
  for (int s = 0; s < attend.segments; ++s) {
    packed &= aligned(attend.segment[s].keys, attend.segment[s].values);
    tokens += attend.segment[s].tokens;
  }
  if (attend.headDim % kLaneElements || !attend.headDim || attend.headDim > kMaxHeadDim)
    throw DeviceError("attention on CUDA takes a head width that is a multiple of 8 up to 256, found " +
                      std::to_string(attend.headDim));
  if (!packed) throw DeviceError("attention on CUDA takes operands at multiples of 16 bytes");
  if (tokens == 0 || tokens > kMaxTokens)
    throw DeviceError("attention on CUDA takes 1 to 2^30 tokens, found " + std::to_string(tokens));
  return forType(attend.type, [&](auto element) {
    using T = decltype(element);
    if (attend.headDim <= 8 * kLaneElements) return chooseHeads<T, 8>(attend, workspace);
    if (attend.headDim <= 16 * kLaneElements) return chooseHeads<T, 16>(attend, workspace);
    return chooseHeads<T, 32>(attend, workspace);
  });
}

}  // namespace splitpoint
