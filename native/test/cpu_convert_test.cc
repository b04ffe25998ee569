#include "cpu/convert.h"

#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "test/check.h"
#include "test/cpu_oracle.h"

namespace splitpoint {
namespace {

using test::decoded16;
using test::rounded;

using Widen = std::function<void(const uint16_t*, float*, size_t)>;
using Narrow = std::function<void(const float*, uint16_t*, size_t)>;

bool sameNumber(double a, double b) {
  return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b);
}

void checkWidening(Type type, const Widen& widen) {
  std::vector<uint16_t> bits(65536);
  for (size_t i = 0; i < bits.size(); ++i) bits[i] = uint16_t(i);
  std::vector<float> numbers(bits.size());
  widen(bits.data(), numbers.data(), bits.size());
  for (size_t i = 0; i < bits.size(); ++i) CHECK(sameNumber(numbers[i], decoded16(type, bits[i])));
}

// All numbers of the type, all in the middle between two, their fp32 neighbours, and all kinds of others.
std::vector<float> hardNumbers(Type type) {
  std::vector<float> numbers;
  for (uint32_t i = 0; i < 65536; ++i) {
    const double number = decoded16(type, uint16_t(i));
    const double next = decoded16(type, uint16_t(i + 1));
    numbers.push_back(float(number));
    const float middle = std::isfinite(number) && std::isfinite(next) ? float((number + next) / 2) : float(number);
    for (float direction : {-INFINITY, INFINITY}) numbers.push_back(std::nextafter(middle, direction));
    numbers.push_back(middle);
  }
  for (float edge : {65519.996f, 65520.0f, 65536.0f, 1e38f, std::numeric_limits<float>::max(),
                     std::numeric_limits<float>::denorm_min(), 0.0f})
    for (float sign : {1.0f, -1.0f}) numbers.push_back(sign * edge);
  test::Random random(1);
  for (int i = 0; i < 300'000; ++i) numbers.push_back(std::bit_cast<float>(uint32_t(random())));
  return numbers;
}

void checkNarrowing(Type type, const Narrow& narrow) {
  const std::vector<float> numbers = hardNumbers(type);
  std::vector<uint16_t> bits(numbers.size());
  narrow(numbers.data(), bits.data(), numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) CHECK(sameNumber(decoded16(type, bits[i]), rounded(type, numbers[i])));
}

TEST("every fp16 and bf16 number widens to the same fp32 number") {
  for (Type type : {Type::fp16, Type::bf16})
    checkWidening(type, [&](const uint16_t* from, float* to, size_t count) { widen(type, from, to, count); });
  checkWidening(Type::fp16, widenHalfPortably);
}

TEST("fp32 numbers narrow to the nearest number of the type, ties to even") {
  for (Type type : {Type::fp16, Type::bf16})
    checkNarrowing(type, [&](const float* from, uint16_t* to, size_t count) { narrow(type, from, to, count); });
  checkNarrowing(Type::fp16, narrowHalfPortably);
}

TEST("conversions of any count touch nothing beyond it") {
  for (Type type : test::kAllTypes) {
    for (size_t count = 0; count < 40; ++count) {
      std::vector<float> numbers(count + 1, 1.5f), back(count + 1, -1.0f);
      std::vector<uint32_t> bits(count + 1, 0xabababab);
      narrow(type, numbers.data(), bits.data(), count);
      const auto* beyond = reinterpret_cast<const uint8_t*>(bits.data()) + count * bytesOf(type);
      CHECK(beyond[0] == 0xab && beyond[1] == 0xab);
      widen(type, bits.data(), back.data(), count);
      for (size_t i = 0; i < count; ++i) CHECK(back[i] == 1.5f);
      CHECK(back[count] == -1.0f);
    }
  }
}

}  // namespace
}  // namespace splitpoint
