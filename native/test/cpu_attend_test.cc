#include "cpu/attend.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "test/check.h"
#include "test/cpu_oracle.h"

namespace splitpoint {
namespace {

using test::Random;
using test::Tensor;

struct Problem {
  Type type;
  uint32_t batch, kvHeads, group, headDim;
  std::vector<uint32_t> tokens;  // of each segment
  double queryScale = 1;
};

void checkAttention(Random& random, ThreadPool& pool, const Problem& problem, bool wantsLogSumExp) {
  const auto& [type, batch, kvHeads, group, headDim, tokens, queryScale] = problem;
  const uint32_t heads = kvHeads * group;
  Tensor query = test::randomTensor(random, type, size_t(batch) * heads * headDim, queryScale);
  Tensor output(type, query.count());
  std::vector<float> logSumExp(size_t(batch) * heads, NAN);
  std::vector<Tensor> keys, values;
  Attend attend{.type = type,
                .batch = batch,
                .heads = heads,
                .kvHeads = kvHeads,
                .headDim = headDim,
                .query = query.data(),
                .segment = {},
                .segments = int(tokens.size()),
                .output = output.data(),
                .logSumExp = wantsLogSumExp ? logSumExp.data() : nullptr};
  for (uint32_t count : tokens) {
    keys.push_back(test::randomTensor(random, type, size_t(count) * batch * kvHeads * headDim));
    values.push_back(test::randomTensor(random, type, size_t(count) * batch * kvHeads * headDim));
  }
  for (size_t s = 0; s < tokens.size(); ++s) attend.segment[s] = {keys[s].data(), values[s].data(), tokens[s]};
  attendOnHost(attend, pool);

  const std::vector<double> queries = query.numbers();
  std::vector<std::vector<double>> allKeys, allValues;
  for (size_t s = 0; s < tokens.size(); ++s)
    allKeys.push_back(keys[s].numbers()), allValues.push_back(values[s].numbers());
  for (uint32_t sequence = 0; sequence < batch; ++sequence) {
    for (uint32_t head = 0; head < heads; ++head) {
      const size_t row = size_t(sequence) * heads + head;
      auto place = [&](uint32_t token) {
        return ((size_t(token) * batch + sequence) * kvHeads + head / group) * headDim;
      };
      std::vector<double> scores;
      for (size_t s = 0; s < tokens.size(); ++s) {
        for (uint32_t token = 0; token < tokens[s]; ++token) {
          double score = 0;
          for (uint32_t i = 0; i < headDim; ++i) score += queries[row * headDim + i] * allKeys[s][place(token) + i];
          scores.push_back(score / std::sqrt(double(headDim)));
        }
      }
      const double largest = *std::max_element(scores.begin(), scores.end());
      double sum = 0;
      for (double score : scores) sum += std::exp(score - largest);
      const double scoreError = 1e-6 * (1 + queryScale) * std::sqrt(double(headDim));
      if (wantsLogSumExp) CHECK_CLOSE(logSumExp[row], largest + std::log(sum), scoreError + 2e-7 * std::abs(largest));
      for (uint32_t i = 0; i < headDim; ++i) {
        double expected = 0, magnitude = 0;
        size_t token = 0;
        for (size_t s = 0; s < tokens.size(); ++s) {
          for (uint32_t t = 0; t < tokens[s]; ++t) {
            const double term = std::exp(scores[token++] - largest) / sum * allValues[s][place(t) + i];
            expected += term;
            magnitude += std::abs(term);
          }
        }
        CHECK_CLOSE(output[row * headDim + i], expected,
                    magnitude * 4 * scoreError + test::toleranceOf(type, std::abs(expected) + 1e-6, 4));
      }
    }
  }
}

TEST("attention is the softmax's mean of the values, for all types, groups, head sizes and segments") {
  Random random(5);
  for (uint32_t threads : {1u, 3u}) {
    ThreadPool pool(threads);
    for (Type type : test::kAllTypes) {
      for (int i = 0; i < 25; ++i) {
        constexpr uint32_t headDims[] = {1, 7, 32, 64, 80, 128};
        Problem problem{type,
                        uint32_t(test::anyOf(random, 1, 3)),
                        uint32_t(test::anyOf(random, 1, 4)),
                        uint32_t(test::anyOf(random, 1, 4)),
                        headDims[i % 6],
                        {}};
        for (int s = 0; s <= i % kMaxSegments; ++s)
          problem.tokens.push_back(uint32_t(test::anyOf(random, s > 0 ? 0 : 1, 150)));
        checkAttention(random, pool, problem, i % 2 == 0);
      }
      // More sums than a block holds.
      checkAttention(random, pool, {type, 3, 4, 8, 128, {70, 5}}, true);
    }
  }
}

TEST("attention bears scores whose exponentials overflow") {
  Random random(6);
  ThreadPool pool(2);
  checkAttention(random, pool, {Type::fp32, 1, 2, 2, 64, {100, 30}, 300}, true);
}

TEST("attention with more threads than tokens uses those it can") {
  Random random(7);
  ThreadPool pool(8);
  checkAttention(random, pool, {Type::fp32, 2, 2, 1, 16, {3}}, true);
}

TEST("a single key, value or query that was never written shows in the attention that reads it, and only there") {
  Random random(8);
  ThreadPool pool(2);
  constexpr uint32_t tokens = 90, batch = 2, heads = 2, headDim = 16;
  for (int which = 0; which < 3; ++which) {
    Tensor query = test::randomTensor(random, Type::fp32, batch * heads * headDim), output = query;
    Tensor keys = test::randomTensor(random, Type::fp32, tokens * batch * heads * headDim), values = keys;
    // Of the last row: the second sequence's second head.
    Tensor& poisoned = which == 0 ? keys : which == 1 ? values : query;
    for (uint32_t i = 0; i < headDim; ++i) poisoned.set(poisoned.count() - headDim + i, NAN);
    attendOnHost({.type = Type::fp32,
                  .batch = batch,
                  .heads = heads,
                  .kvHeads = heads,
                  .headDim = headDim,
                  .query = query.data(),
                  .segment = {{keys.data(), values.data(), tokens}},
                  .segments = 1,
                  .output = output.data(),
                  .logSumExp = nullptr},
                 pool);
    for (size_t i = 0; i < output.count(); ++i) CHECK(std::isnan(output[i]) == (i >= output.count() - headDim));
  }
}

TEST("attention over no tokens is refused") {
  ThreadPool pool(1);
  CHECK_THROWS(DeviceError, attendOnHost({.type = Type::fp32,
                                          .batch = 1,
                                          .heads = 1,
                                          .kvHeads = 1,
                                          .headDim = 1,
                                          .query = nullptr,
                                          .segment = {},
                                          .segments = 1,
                                          .output = nullptr,
                                          .logSumExp = nullptr},
                                         pool));
}

}  // namespace
}  // namespace splitpoint
