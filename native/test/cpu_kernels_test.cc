#include "cpu/kernels.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/random.h"
#include "test/check.h"
#include "test/cpu_oracle.h"

namespace splitpoint {
namespace {

using test::Random;
using test::randomTensor;
using test::Tensor;
using test::toleranceOf;

TEST("embedding takes each sequence's token and adds its learned position, wrapped") {
  Random random(11);
  for (Type type : test::kAllTypes) {
    for (bool learned : {false, true}) {
      constexpr uint32_t vocab = 50, positions = 8, width = 37, batch = 5, position = 21, microBatch = 2;
      Tensor table = randomTensor(random, type, vocab * width), places = randomTensor(random, type, positions * width);
      Tensor output(type, batch * width);
      embed({type, table.data(), vocab, learned ? places.data() : nullptr, learned ? positions : 0, position,
             microBatch, batch, width, output.data()});
      for (uint32_t sequence = 0; sequence < batch; ++sequence) {
        const uint32_t token = drawnToken(vocab, microBatch, sequence, position);
        for (uint32_t i = 0; i < width; ++i) {
          const double sum = table[token * width + i] + (learned ? places[position % positions * width + i] : 0);
          CHECK_CLOSE(output[sequence * width + i], sum, toleranceOf(type, std::abs(sum), 1));
        }
      }
    }
  }
}

TEST("norms with a bias are layer norms, without one RMS norms, in place too") {
  Random random(12);
  for (Type type : test::kAllTypes) {
    for (bool layerNorm : {true, false}) {
      for (bool inPlace : {true, false}) {
        const size_t rows = test::anyOf(random, 1, 9), width = test::anyOf(random, 2, 300);
        Tensor input = randomTensor(random, type, rows * width, 3), weight = randomTensor(random, type, width);
        Tensor bias = randomTensor(random, type, width), output(type, rows * width);
        const Tensor before = input;
        constexpr double epsilon = 0.01;
        norm({type, rows, uint32_t(width), input.data(), weight.data(), layerNorm ? bias.data() : nullptr,
              float(epsilon), inPlace ? input.data() : output.data()});
        const Tensor& found = inPlace ? input : output;
        for (size_t row = 0; row < rows; ++row) {
          double mean = 0, square = 0;
          if (layerNorm)
            for (size_t i = 0; i < width; ++i) mean += before[row * width + i] / double(width);
          for (size_t i = 0; i < width; ++i) square += std::pow(before[row * width + i] - mean, 2) / double(width);
          for (size_t i = 0; i < width; ++i) {
            const double scaled = (before[row * width + i] - mean) / std::sqrt(square + epsilon) * weight[i];
            const double expected = scaled + (layerNorm ? bias[i] : 0);
            CHECK_CLOSE(found[row * width + i], expected,
                        toleranceOf(type, std::abs(expected), 0) + toleranceOf(Type::fp32, std::abs(scaled) + 1, 16));
          }
        }
      }
    }
  }
}

TEST("rotary embedding turns pairs of halves by exact angles, also far out") {
  Random random(13);
  for (Type type : test::kAllTypes) {
    for (uint32_t headDim : {2u, 24u, 64u, 128u}) {
      const auto tokens = uint32_t(test::anyOf(random, 1, 4)), heads = uint32_t(test::anyOf(random, 1, 5));
      const auto first = uint32_t(test::anyOf(random, 0, 1'000'000));
      Tensor data = randomTensor(random, type, size_t(tokens) * heads * headDim);
      const Tensor before = data;
      rope({type, data.data(), tokens, first, heads, headDim, 10000.0f});
      for (uint32_t token = 0; token < tokens; ++token) {
        for (uint32_t head = 0; head < heads; ++head) {
          const size_t start = (size_t(token) * heads + head) * headDim;
          for (uint32_t i = 0; i < headDim / 2; ++i) {
            const double angle = (first + token) / std::pow(10000.0, 2.0 * i / headDim);
            const double x = before[start + i], y = before[start + i + headDim / 2];
            const double length = std::hypot(x, y);
            CHECK_CLOSE(data[start + i], x * std::cos(angle) - y * std::sin(angle), toleranceOf(type, length, 2));
            CHECK_CLOSE(data[start + i + headDim / 2], x * std::sin(angle) + y * std::cos(angle),
                        toleranceOf(type, length, 2));
          }
        }
      }
    }
  }
}

TEST("activations are ReLU or SiLU, gated or not, and may replace the gate") {
  Random random(14);
  for (Type type : test::kAllTypes) {
    for (int variant = 0; variant < 8; ++variant) {
      const bool silu = variant & 1, gated = variant & 2, inPlace = variant & 4;
      const size_t count = test::anyOf(random, 1, 3000);
      Tensor gate = randomTensor(random, type, count, 20), up = randomTensor(random, type, count), output(type, count);
      const Tensor before = gate;
      activate({type, silu, count, gate.data(), gated ? up.data() : nullptr, inPlace ? gate.data() : output.data()});
      const Tensor& found = inPlace ? gate : output;
      for (size_t i = 0; i < count; ++i) {
        const double x = before[i];
        const double expected = (silu ? x / (1 + std::exp(-x)) : std::max(x, 0.0)) * (gated ? up[i] : 1);
        CHECK_CLOSE(found[i], expected, toleranceOf(type, std::abs(expected), 8));
      }
    }
  }
}

TEST("SiLU of very large and very small numbers is finite") {
  Tensor gate(Type::fp32, 4), output(Type::fp32, 4);
  const double numbers[] = {-1e38, -200, 200, 1e38};
  for (size_t i = 0; i < 4; ++i) gate.set(i, double(float(numbers[i])));
  activate({Type::fp32, true, 4, gate.data(), nullptr, output.data()});
  CHECK_CLOSE(output[0], 0, 1);
  CHECK_CLOSE(output[1], 0, 1e-30);
  CHECK(output[2] == 200);
  CHECK(output[3] == gate[3]);
}

TEST("activations of what was never written are not a number") {
  for (bool silu : {false, true}) {
    Tensor poison(Type::fp16, 40), up(Type::fp16, 40), output(Type::fp16, 40);
    for (size_t i = 0; i < 40; ++i) up.set(i, 1), output.set(i, 1);
    activate({Type::fp16, silu, 40, poison.data(), up.data(), output.data()});
    for (size_t i = 0; i < 40; ++i) CHECK(std::isnan(output[i]));
  }
}

TEST("merging weighs both sides by their exponentials, also where those overflow") {
  Random random(15);
  for (Type type : test::kAllTypes) {
    constexpr uint32_t rows = 12, headDim = 45;
    Tensor attended = randomTensor(random, type, rows * headDim), other = randomTensor(random, type, rows * headDim);
    const Tensor before = attended;
    std::vector<float> own(rows), others(rows);
    for (uint32_t row = 0; row < rows; ++row) {
      own[row] = float(row) * 60 - 300;
      others[row] = own[row] + (float(row) - 5) * (row % 3 == 0 ? 100 : 1);
    }
    merge({type, rows, headDim, other.data(), others.data(), own.data(), attended.data()});
    for (uint32_t row = 0; row < rows; ++row) {
      const double share = 1 / (1 + std::exp(double(others[row]) - own[row]));
      for (uint32_t i = row * headDim; i < (row + 1) * headDim; ++i) {
        const double a = before[i] * share, b = other[i] * (1 - share);
        CHECK_CLOSE(attended[i], a + b,
                    toleranceOf(type, std::abs(a + b), 0) + toleranceOf(Type::fp32, std::abs(a) + std::abs(b), 2));
      }
    }
  }
}

TEST("a new token is appended to one or two places") {
  for (int targets : {1, 2}) {
    const std::vector<uint8_t> keys(33, 1), values(33, 2);
    std::vector<std::vector<uint8_t>> places(4, std::vector<uint8_t>(34, 9));
    append({33,
            keys.data(),
            values.data(),
            {{places[0].data(), places[1].data()}, {places[2].data(), places[3].data()}},
            targets});
    for (int place = 0; place < 4; ++place) {
      std::vector<uint8_t> expected(34, 9);
      if (place < 2 * targets) std::fill_n(expected.begin(), 33, uint8_t(1 + place % 2));
      CHECK(places[size_t(place)] == expected);
    }
  }
}

TEST("filling draws each element by its index alone, rounded to the type") {
  for (Type type : test::kAllTypes) {
    constexpr size_t count = 5000;
    constexpr uint64_t seed = 77, first = 1ull << 40;
    Tensor whole(type, count);
    fill({type, whole.data(), count, seed, first, 0.5f, 2.0f});
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; ++i) {
      const double exact = 0.5 * double(normalAt(seed, first + i)) + 2;
      CHECK_CLOSE(whole[i], exact, toleranceOf(type, std::abs(exact), 2));
      sum += whole[i], squares += whole[i] * whole[i];
    }
    CHECK_CLOSE(sum / count, 2, 0.05);
    CHECK_CLOSE(squares / count - std::pow(sum / count, 2), 0.25, 0.03);
    Tensor part(type, 100);
    fill({type, part.data(), 100, seed, first + 1234, 0.5f, 2.0f});
    for (size_t i = 0; i < 100; ++i) CHECK(part[i] == whole[1234 + i]);
  }
}

}  // namespace
}  // namespace splitpoint
