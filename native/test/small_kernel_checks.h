#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <tuple>
#include <vector>

#include "core/random.h"
#include "test/on_device.h"

// The kernels besides attention and products, on any device, against their definitions in float64. Shapes and where
// operands begin are such that some can be worked on in whole packs of 16 bytes and others cannot.

namespace splitpoint::test {

inline void checkEmbedding(Device& device, Random& random, Type type, uint32_t width, bool learned) {
  constexpr uint32_t vocab = 50, positions = 8, batch = 5, position = 21, microBatch = 2;
  const Tensor table = randomTensor(random, type, vocab * width),
               places = randomTensor(random, type, positions * width);
  const OnDevice tableMemory(device, table), placesMemory(device, places);
  const OnDevice outputMemory(device, Tensor(type, batch * width));
  device.embed(kCompute, {type, tableMemory.at(), vocab, learned ? placesMemory.at() : nullptr, learned ? positions : 0,
                          position, microBatch, batch, width, outputMemory.at()});
  const Tensor output = outputMemory.now();
  for (uint32_t sequence = 0; sequence < batch; ++sequence) {
    const uint32_t token = drawnToken(vocab, microBatch, sequence, position);
    for (uint32_t i = 0; i < width; ++i) {
      const double sum = table[token * width + i] + (learned ? places[position % positions * width + i] : 0);
      CHECK_CLOSE(output[sequence * width + i], sum, toleranceOf(type, std::abs(sum), 1));
    }
  }
}

inline void checkEmbeddings(Device& device, Random& random) {
  for (Type type : kAllTypes)
    for (bool learned : {false, true})
      for (uint32_t width : {37u, 64u, 2048u}) checkEmbedding(device, random, type, width, learned);
}

inline void checkNorm(Device& device, Random& random, Type type, size_t rows, size_t width, bool layerNorm,
                      bool inPlace, size_t elementsBefore) {
  const Tensor input = randomTensor(random, type, rows * width, 3), weight = randomTensor(random, type, width);
  const Tensor bias = randomTensor(random, type, width);
  const OnDevice inputMemory(device, input), weightMemory(device, weight, elementsBefore);
  const OnDevice biasMemory(device, bias, elementsBefore), outputMemory(device, Tensor(type, rows * width));
  constexpr double epsilon = 0.01;
  device.norm(kCompute,
              {type, rows, uint32_t(width), inputMemory.at(), weightMemory.at(), layerNorm ? biasMemory.at() : nullptr,
               float(epsilon), inPlace ? inputMemory.at() : outputMemory.at()});
  const Tensor found = (inPlace ? inputMemory : outputMemory).now();
  for (size_t row = 0; row < rows; ++row) {
    double mean = 0, square = 0;
    if (layerNorm)
      for (size_t i = 0; i < width; ++i) mean += input[row * width + i] / double(width);
    for (size_t i = 0; i < width; ++i) square += std::pow(input[row * width + i] - mean, 2) / double(width);
    for (size_t i = 0; i < width; ++i) {
      const double scaled = (input[row * width + i] - mean) / std::sqrt(square + epsilon) * weight[i];
      const double expected = scaled + (layerNorm ? bias[i] : 0);
      CHECK_CLOSE(found[row * width + i], expected,
                  toleranceOf(type, std::abs(expected), 0) + toleranceOf(Type::fp32, std::abs(scaled) + 1, 16));
    }
  }
}

inline void checkNorms(Device& device, Random& random) {
  for (Type type : kAllTypes) {
    for (bool layerNorm : {true, false}) {
      for (bool inPlace : {true, false}) {
        checkNorm(device, random, type, anyOf(random, 1, 9), anyOf(random, 2, 300), layerNorm, inPlace, 1);
        checkNorm(device, random, type, anyOf(random, 1, 40), 128, layerNorm, inPlace, 0);
        checkNorm(device, random, type, 3, 4096, layerNorm, inPlace, 0);
        checkNorm(device, random, type, 2, 1031, layerNorm, inPlace, 1);
      }
    }
  }
}

inline void checkRope(Device& device, Random& random, Type type, uint32_t headDim, size_t elementsBefore) {
  const auto tokens = uint32_t(anyOf(random, 1, 4)), heads = uint32_t(anyOf(random, 1, 20));
  const auto first = uint32_t(anyOf(random, 0, 1'000'000));
  const Tensor before = randomTensor(random, type, size_t(tokens) * heads * headDim);
  const OnDevice memory(device, before, elementsBefore);
  device.rope(kCompute, {type, memory.at(), tokens, first, heads, headDim, 10000.0f});
  const Tensor after = memory.now();
  for (uint32_t token = 0; token < tokens; ++token) {
    for (uint32_t head = 0; head < heads; ++head) {
      const size_t start = (size_t(token) * heads + head) * headDim;
      for (uint32_t i = 0; i < headDim / 2; ++i) {
        const double angle = (first + token) / std::pow(10000.0, 2.0 * i / headDim);
        const double x = before[start + i], y = before[start + i + headDim / 2];
        const double length = std::hypot(x, y);
        CHECK_CLOSE(after[start + i], x * std::cos(angle) - y * std::sin(angle), toleranceOf(type, length, 2));
        CHECK_CLOSE(after[start + i + headDim / 2], x * std::sin(angle) + y * std::cos(angle),
                    toleranceOf(type, length, 2));
      }
    }
  }
}

inline void checkRopes(Device& device, Random& random) {
  for (Type type : kAllTypes)
    for (uint32_t headDim : {2u, 24u, 64u, 80u, 128u, 256u})
      for (size_t elementsBefore : {0, 1}) checkRope(device, random, type, headDim, elementsBefore);
}

inline void checkActivation(Device& device, Random& random, Type type, size_t count, bool silu, bool gated,
                            bool inPlace) {
  const Tensor gate = randomTensor(random, type, count, 20), up = randomTensor(random, type, count);
  const OnDevice gateMemory(device, gate), upMemory(device, up), outputMemory(device, Tensor(type, count));
  device.activate(kCompute, {type, silu, count, gateMemory.at(), gated ? upMemory.at() : nullptr,
                             inPlace ? gateMemory.at() : outputMemory.at()});
  const Tensor found = (inPlace ? gateMemory : outputMemory).now();
  for (size_t i = 0; i < count; ++i) {
    const double x = gate[i];
    const double expected = (silu ? x / (1 + std::exp(-x)) : std::max(x, 0.0)) * (gated ? up[i] : 1);
    CHECK_CLOSE(found[i], expected, toleranceOf(type, std::abs(expected), 8));
  }
}

inline void checkActivations(Device& device, Random& random) {
  for (Type type : kAllTypes)
    for (int variant = 0; variant < 8; ++variant)
      for (size_t count : {anyOf(random, 1, 3000), size_t(4096)})
        checkActivation(device, random, type, count, variant & 1, variant & 2, variant & 4);
}

inline void checkExtremeSilu(Device& device) {
  Tensor gate(Type::fp32, 4);
  const double numbers[] = {-1e38, -200, 200, 1e38};
  for (size_t i = 0; i < 4; ++i) gate.set(i, double(float(numbers[i])));
  const OnDevice gateMemory(device, gate), outputMemory(device, Tensor(Type::fp32, 4));
  device.activate(kCompute, {Type::fp32, true, 4, gateMemory.at(), nullptr, outputMemory.at()});
  const Tensor output = outputMemory.now();
  CHECK_CLOSE(output[0], 0, 1);
  CHECK_CLOSE(output[1], 0, 1e-30);
  CHECK(output[2] == 200);
  CHECK(output[3] == gate[3]);
}

inline void checkMerge(Device& device, Random& random, Type type, uint32_t headDim) {
  constexpr uint32_t rows = 12;
  const Tensor before = randomTensor(random, type, rows * headDim), other = randomTensor(random, type, rows * headDim);
  Tensor own(Type::fp32, rows), others(Type::fp32, rows);
  for (uint32_t row = 0; row < rows; ++row) {
    own.set(row, row * 60.0 - 300);
    others.set(row, own[row] + (row - 5.0) * (row % 3 == 0 ? 100 : 1));
  }
  const OnDevice attendedMemory(device, before), otherMemory(device, other);
  const OnDevice ownMemory(device, own), othersMemory(device, others);
  device.merge(kCompute, {type, rows, headDim, otherMemory.at(), reinterpret_cast<const float*>(othersMemory.at()),
                          reinterpret_cast<const float*>(ownMemory.at()), attendedMemory.at()});
  const Tensor attended = attendedMemory.now();
  for (uint32_t row = 0; row < rows; ++row) {
    const double share = 1 / (1 + std::exp(others[row] - own[row]));
    for (uint32_t i = row * headDim; i < (row + 1) * headDim; ++i) {
      const double a = before[i] * share, b = other[i] * (1 - share);
      CHECK_CLOSE(attended[i], a + b,
                  toleranceOf(type, std::abs(a + b), 0) + toleranceOf(Type::fp32, std::abs(a) + std::abs(b), 8));
    }
  }
}

inline void checkMerges(Device& device, Random& random) {
  for (Type type : kAllTypes)
    for (uint32_t headDim : {45u, 128u}) checkMerge(device, random, type, headDim);
}

inline void checkAppend(Device& device, Random& random, size_t elements, int targets) {
  const Tensor keys = randomTensor(random, Type::fp16, elements), values = randomTensor(random, Type::fp16, elements);
  const OnDevice keyMemory(device, keys), valueMemory(device, values);
  const Tensor nothing(Type::fp16, elements);
  const OnDevice places[] = {{device, nothing}, {device, nothing}, {device, nothing, 1}, {device, nothing}};
  device.append(kCompute, {keyMemory.bytes(),
                           keyMemory.at(),
                           valueMemory.at(),
                           {{places[0].at(), places[1].at()}, {places[2].at(), places[3].at()}},
                           targets});
  for (int place = 0; place < 4; ++place) {
    const Tensor found = places[place].now(), &expected = place >= 2 * targets ? nothing : place % 2 ? values : keys;
    CHECK(std::memcmp(found.data(), expected.data(), elements * 2) == 0);
  }
}

inline void checkAppends(Device& device, Random& random) {
  for (int targets : {1, 2})
    for (size_t elements : {17, 4096}) checkAppend(device, random, elements, targets);
}

// What was never written is not a number in what is made of it.
inline void checkPoison(Device& device, Random& random) {
  constexpr size_t width = 40;
  for (Type type : kAllTypes) {
    const Tensor poison(type, width), numbers = randomTensor(random, type, width);
    const Tensor sum = randomTensor(random, Type::fp32, 1);
    const auto expectNaN = [](const OnDevice& output) {
      const Tensor found = output.now();
      for (size_t i = 0; i < found.count(); ++i) CHECK(std::isnan(found[i]));
    };
    for (bool silu : {false, true}) {
      const OnDevice gate(device, poison), up(device, numbers), output(device, numbers);
      device.activate(kCompute, {type, silu, width, gate.at(), up.at(), output.at()});
      expectNaN(output);
    }
    for (bool layerNorm : {false, true}) {
      Tensor one = numbers;
      std::memcpy(one.data(), poison.data(), bytesOf(type));
      const OnDevice input(device, one), weight(device, numbers), bias(device, numbers), output(device, numbers);
      device.norm(kCompute,
                  {type, 1, width, input.at(), weight.at(), layerNorm ? bias.at() : nullptr, 1e-5f, output.at()});
      expectNaN(output);
    }
    for (bool other : {false, true}) {
      const OnDevice own(device, other ? numbers : poison), others(device, other ? poison : numbers), sums(device, sum);
      const auto* logSumExp = reinterpret_cast<const float*>(sums.at());
      device.merge(kCompute, {type, 1, width, others.at(), logSumExp, logSumExp, own.at()});
      expectNaN(own);
    }
    for (bool transposed : {false, true}) {
      const OnDevice a(device, poison), b(device, randomTensor(random, type, width * 3)), c(device, Tensor(type, 3));
      device.gemm(kCompute, {type, 1, 3, width, a.at(), b.at(), transposed, nullptr, false, false, c.at()});
      expectNaN(c);
    }
    const OnDevice data(device, poison);
    device.rope(kCompute, {type, data.at(), 1, 9, 1, width, 10000.0f});
    expectNaN(data);
  }
}

// Rows go from pinned memory to the device and back, byte by byte, and the gaps stay.
inline void checkPitchedCopy(Device& device, Random& random, uint64_t rowBytes, uint64_t rows, uint64_t sourceGap,
                             uint64_t targetGap) {
  for (auto [stream, from, to] : {std::tuple{kH2d, Pool::pinned, Pool::gpu}, {kD2h, Pool::gpu, Pool::pinned}}) {
    const uint64_t sourceStride = rowBytes + sourceGap, targetStride = rowBytes + targetGap;
    std::vector<uint8_t> source(rows * sourceStride), target(rows * targetStride, 0x11), expected = target;
    for (uint8_t& byte : source) byte = uint8_t(random());
    for (uint64_t row = 0; row < rows; ++row)
      std::copy_n(&source[row * sourceStride], rowBytes, &expected[row * targetStride]);
    void* const sourceMemory = device.allocate(from, source.size());
    void* const targetMemory = device.allocate(to, target.size());
    device.write(from, source.data(), sourceMemory, source.size());
    device.write(to, target.data(), targetMemory, target.size());
    device.copy(stream, {sourceMemory, targetMemory, rowBytes, rows, sourceStride, targetStride});
    finish(device);
    device.read(to, targetMemory, target.data(), target.size());
    device.free(from, sourceMemory);
    device.free(to, targetMemory);
    CHECK(target == expected);
  }
}

}  // namespace splitpoint::test
