#include "cpu/kernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/random.h"
#include "cpu/clones.h"
#include "cpu/convert.h"
#include "cpu/exponential.h"

namespace splitpoint {
namespace {

// Numbers that are widened, worked on and rounded at a time where any cut will do.
constexpr uint64_t kBlock = 1024;

const char* at(Type type, const void* numbers, uint64_t index) {
  return static_cast<const char*>(numbers) + index * bytesOf(type);
}
char* at(Type type, void* numbers, uint64_t index) { return static_cast<char*>(numbers) + index * bytesOf(type); }

// fp32 copies of rows, kept from call to call so that page faults do not fall into timings. Different slots are
// different memory.
float* scratch(int slot, uint64_t count) {
  static thread_local std::vector<float> slots[3];
  if (slots[slot].size() < count) slots[slot].resize(count);
  return slots[slot].data();
}

SPLITPOINT_CLONES
void addRow(const float* row, float* to, uint64_t width) {
  for (uint64_t i = 0; i < width; ++i) to[i] += row[i];
}

// Partial sums side by side, because a compiler must not reorder a single one.
template <class Term>
SPLITPOINT_INLINE float sumOf(uint64_t count, const Term& term) {
  constexpr uint64_t kSums = 16;
  float sums[kSums] = {};
  uint64_t i = 0;
  for (; i + kSums <= count; i += kSums)
    for (uint64_t j = 0; j < kSums; ++j) sums[j] += term(i + j);
  for (; i < count; ++i) sums[0] += term(i);
  float sum = 0;
  for (float part : sums) sum += part;
  return sum;
}

SPLITPOINT_CLONES
void normRow(const float* in, const float* weight, const float* bias, float epsilon, uint64_t width, float* out) {
  if (!bias) {
    const float meanSquare = sumOf(width, [&](uint64_t i) { return in[i] * in[i]; }) / float(width);
    const float scale = 1.0f / std::sqrt(meanSquare + epsilon);
    for (uint64_t i = 0; i < width; ++i) out[i] = in[i] * scale * weight[i];
    return;
  }
  const float mean = sumOf(width, [&](uint64_t i) { return in[i]; }) / float(width);
  const float variance = sumOf(width, [&](uint64_t i) { return (in[i] - mean) * (in[i] - mean); }) / float(width);
  const float scale = 1.0f / std::sqrt(variance + epsilon);
  for (uint64_t i = 0; i < width; ++i) out[i] = (in[i] - mean) * scale * weight[i] + bias[i];
}

SPLITPOINT_CLONES
void rotate(float* x, float* y, const float* cosine, const float* sine, uint32_t half) {
  for (uint32_t i = 0; i < half; ++i) {
    const float turnedX = x[i] * cosine[i] - y[i] * sine[i];
    const float turnedY = y[i] * cosine[i] + x[i] * sine[i];
    x[i] = turnedX;
    y[i] = turnedY;
  }
}

SPLITPOINT_CLONES
void activateBlock(bool silu, const float* gate, const float* up, float* out, uint64_t count) {
  if (silu) {
    for (uint64_t i = 0; i < count; ++i) out[i] = gate[i] / (1.0f + exponential(-gate[i]));
  } else {
    // NaN stays, so that what was never written shows.
    for (uint64_t i = 0; i < count; ++i) out[i] = gate[i] < 0.0f ? 0.0f : gate[i];
  }
  if (up)
    for (uint64_t i = 0; i < count; ++i) out[i] *= up[i];
}

SPLITPOINT_CLONES
void mix(float ownShare, float otherShare, float* attended, const float* other, uint32_t headDim) {
  for (uint32_t i = 0; i < headDim; ++i) attended[i] = attended[i] * ownShare + other[i] * otherShare;
}

SPLITPOINT_CLONES
void drawNormal(uint64_t seed, uint64_t firstIndex, float scale, float shift, float* out, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) out[i] = filledAt(seed, firstIndex + i, scale, shift);
}

}  // namespace

void embed(const Embed& e) {
  for (uint32_t sequence = 0; sequence < e.batch; ++sequence) {
    const uint64_t token = drawnToken(e.vocab, e.microBatch, sequence, e.position);
    const char* embedding = at(e.type, e.table, token * e.width);
    char* out = at(e.type, e.output, uint64_t(sequence) * e.width);
    if (!e.positions) {
      std::memcpy(out, embedding, e.width * bytesOf(e.type));
      continue;
    }
    float* sum = scratch(0, e.width);
    widen(e.type, embedding, sum, e.width);
    const uint64_t position = e.position % e.learnedPositions;
    addRow(asFloats(e.type, at(e.type, e.positions, position * e.width), scratch(1, e.width), e.width), sum, e.width);
    narrow(e.type, sum, out, e.width);
  }
}

void norm(const Norm& n) {
  const float* weight = asFloats(n.type, n.weight, scratch(0, n.width), n.width);
  const float* bias = n.bias ? asFloats(n.type, n.bias, scratch(1, n.width), n.width) : nullptr;
  float* row = scratch(2, n.width);
  for (uint64_t r = 0; r < n.rows; ++r) {
    const float* in = asFloats(n.type, at(n.type, n.input, r * n.width), row, n.width);
    normRow(in, weight, bias, n.epsilon, n.width, row);
    narrow(n.type, row, at(n.type, n.output, r * n.width), n.width);
  }
}

void rope(const Rope& r) {
  const uint32_t half = r.headDim / 2;
  float* cosine = scratch(0, half);
  float* sine = scratch(1, half);
  float* head = scratch(2, r.headDim);
  for (uint32_t token = 0; token < r.tokens; ++token) {
    for (uint32_t i = 0; i < half; ++i) {
      const double angle = (double(r.firstPosition) + token) * std::pow(double(r.theta), -2.0 * i / r.headDim);
      cosine[i] = float(std::cos(angle));
      sine[i] = float(std::sin(angle));
    }
    for (uint32_t h = 0; h < r.headsPerToken; ++h) {
      char* data = at(r.type, r.data, (uint64_t(token) * r.headsPerToken + h) * r.headDim);
      widen(r.type, data, head, r.headDim);
      rotate(head, head + half, cosine, sine, half);
      narrow(r.type, head, data, r.headDim);
    }
  }
}

void activate(const Activate& a) {
  float gates[kBlock], ups[kBlock], out[kBlock];
  for (uint64_t first = 0; first < a.count; first += kBlock) {
    const uint64_t count = std::min(kBlock, a.count - first);
    const float* gate = asFloats(a.type, at(a.type, a.gate, first), gates, count);
    const float* up = a.up ? asFloats(a.type, at(a.type, a.up, first), ups, count) : nullptr;
    activateBlock(a.silu, gate, up, out, count);
    narrow(a.type, out, at(a.type, a.output, first), count);
  }
}

void merge(const Merge& m) {
  float* attended = scratch(0, m.headDim);
  for (uint32_t row = 0; row < m.rows; ++row) {
    // Shares of the larger one, so that nothing overflows.
    const double difference = double(m.otherLogSumExp[row]) - m.ownLogSumExp[row];
    const double smaller = std::exp(-std::abs(difference));
    const double larger = 1.0 / (1.0 + smaller);
    const bool ownLarger = difference <= 0;
    char* own = at(m.type, m.attended, uint64_t(row) * m.headDim);
    const float* other =
        asFloats(m.type, at(m.type, m.other, uint64_t(row) * m.headDim), scratch(1, m.headDim), m.headDim);
    widen(m.type, own, attended, m.headDim);
    mix(float(ownLarger ? larger : smaller * larger), float(ownLarger ? smaller * larger : larger), attended, other,
        m.headDim);
    narrow(m.type, attended, own, m.headDim);
  }
}

void append(const Append& a) {
  for (int i = 0; i < a.targets; ++i) {
    std::memcpy(a.target[i].keys, a.keys, a.bytes);
    std::memcpy(a.target[i].values, a.values, a.bytes);
  }
}

void fill(const Fill& f) {
  float block[kBlock];
  for (uint64_t first = 0; first < f.count; first += kBlock) {
    const uint64_t count = std::min(kBlock, f.count - first);
    drawNormal(f.seed, f.firstIndex + first, f.scale, f.shift, block, count);
    narrow(f.type, block, at(f.type, f.target, first), count);
  }
}

}  // namespace splitpoint
