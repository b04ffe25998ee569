#pragma once

#include <algorithm>
#include <cmath>
#include <list>
#include <vector>

#include "test/on_device.h"

// Attention on any device, against its definition in float64.

namespace splitpoint::test {

struct AttentionShape {
  Type type;
  uint32_t batch, kvHeads, group, headDim;
  std::vector<uint32_t> tokens;  // of each segment
  double queryScale = 1;

  uint32_t heads() const { return kvHeads * group; }
};

// Random queries, keys and values where a stream attends them.
struct AttentionProblem {
  AttentionProblem(Device& device, Stream stream, Random& random, const AttentionShape& asked)
      : shape(asked),
        pool(stream == kHost ? Pool::pinned : Pool::gpu),
        query(randomTensor(random, shape.type, size_t(shape.batch) * shape.heads() * shape.headDim, shape.queryScale)),
        queryMemory(device, query, 0, pool),
        output(device, Tensor(shape.type, query.count()), 0, pool),
        logSumExp(device, Tensor(Type::fp32, size_t(shape.batch) * shape.heads()), 0, pool) {
    for (uint32_t tokens : shape.tokens) {
      const size_t count = size_t(tokens) * shape.batch * shape.kvHeads * shape.headDim;
      keyMemory.emplace_back(device, keys.emplace_back(randomTensor(random, shape.type, count)), 0, pool);
      valueMemory.emplace_back(device, values.emplace_back(randomTensor(random, shape.type, count)), 0, pool);
    }
  }

  Attend command(bool wantsLogSumExp) const {
    Attend attend{.type = shape.type,
                  .batch = shape.batch,
                  .heads = shape.heads(),
                  .kvHeads = shape.kvHeads,
                  .headDim = shape.headDim,
                  .query = queryMemory.at(),
                  .segment = {},
                  .segments = int(shape.tokens.size()),
                  .output = output.at(),
                  .logSumExp = wantsLogSumExp ? reinterpret_cast<float*>(logSumExp.at()) : nullptr};
    auto key = keyMemory.begin(), value = valueMemory.begin();
    for (size_t s = 0; s < shape.tokens.size(); ++s)
      attend.segment[s] = {(key++)->at(), (value++)->at(), shape.tokens[s]};
    return attend;
  }

  AttentionShape shape;
  Pool pool;
  Tensor query;
  std::vector<Tensor> keys, values;
  OnDevice queryMemory, output, logSumExp;
  std::list<OnDevice> keyMemory, valueMemory;
};

inline void expectAttention(const AttentionProblem& problem, bool wantsLogSumExp) {
  const auto& [type, batch, kvHeads, group, headDim, tokens, queryScale] = problem.shape;
  const std::vector<double> queries = problem.query.numbers();
  const std::vector<double> found = problem.output.now().numbers(), sums = problem.logSumExp.now().numbers();
  std::vector<std::vector<double>> keys, values;
  for (const Tensor& tensor : problem.keys) keys.push_back(tensor.numbers());
  for (const Tensor& tensor : problem.values) values.push_back(tensor.numbers());
  for (size_t row = 0; row < sums.size(); ++row) {
    const size_t sequence = row / (kvHeads * group), head = row % (kvHeads * group);
    // Of a token's key or value.
    const auto place = [&](uint32_t token) {
      return ((size_t(token) * batch + sequence) * kvHeads + head / group) * headDim;
    };
    std::vector<double> scores;
    for (size_t s = 0; s < tokens.size(); ++s) {
      for (uint32_t token = 0; token < tokens[s]; ++token) {
        double score = 0;
        for (uint32_t i = 0; i < headDim; ++i) score += queries[row * headDim + i] * keys[s][place(token) + i];
        scores.push_back(score / std::sqrt(double(headDim)));
      }
    }
    const double largest = *std::max_element(scores.begin(), scores.end());
    double sum = 0;
    for (double score : scores) sum += std::exp(score - largest);
    const double scoreError = 1e-6 * (1 + queryScale) * std::sqrt(double(headDim));
    if (wantsLogSumExp)
      CHECK_CLOSE(sums[row], largest + std::log(sum), scoreError + 2e-7 * std::abs(largest));
    else
      CHECK(std::isnan(sums[row]));
    std::vector<double> expected(headDim, 0), magnitude(headDim, 0);
    size_t at = 0;
    for (size_t s = 0; s < tokens.size(); ++s) {
      for (uint32_t token = 0; token < tokens[s]; ++token) {
        const double weight = std::exp(scores[at++] - largest) / sum;
        for (uint32_t i = 0; i < headDim; ++i) {
          const double term = weight * values[s][place(token) + i];
          expected[i] += term;
          magnitude[i] += std::abs(term);
        }
      }
    }
    for (uint32_t i = 0; i < headDim; ++i)
      CHECK_CLOSE(found[row * headDim + i], expected[i],
                  magnitude[i] * 4 * scoreError + toleranceOf(type, std::abs(expected[i]) + 1e-6, 4));
  }
}

inline void checkAttention(Device& device, Stream stream, Random& random, const AttentionShape& shape,
                           bool wantsLogSumExp = true) {
  const AttentionProblem problem(device, stream, random, shape);
  device.attend(stream, problem.command(wantsLogSumExp));
  expectAttention(problem, wantsLogSumExp);
}

// A random context of one to three segments, of which only the first must hold tokens.
inline std::vector<uint32_t> randomSegments(Random& random, size_t segments, size_t most) {
  std::vector<uint32_t> tokens;
  for (size_t s = 0; s < segments; ++s) tokens.push_back(uint32_t(anyOf(random, s > 0 ? 0 : 1, most)));
  return tokens;
}

// What was never written shows in the attention that reads it, and only there.
inline void checkPoisonedAttention(Device& device, Stream stream, Random& random, uint32_t headDim) {
  for (int which = 0; which < 3; ++which) {
    AttentionProblem problem(device, stream, random, {Type::fp32, 2, 2, 1, headDim, {90}});
    // Of the last row: the second sequence's second head.
    const OnDevice& poisoned = which == 0   ? problem.keyMemory.front()
                               : which == 1 ? problem.valueMemory.front()
                                            : problem.queryMemory;
    const uint64_t row = headDim * sizeof(float);
    device.setBytes(problem.pool, poisoned.at() + poisoned.bytes() - row, 0xff, row);
    device.attend(stream, problem.command(false));
    const Tensor output = problem.output.now();
    for (size_t i = 0; i < output.count(); ++i) CHECK(std::isnan(output[i]) == (i >= output.count() - headDim));
  }
}

}  // namespace splitpoint::test
