#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "core/plan.h"

// Numbers of the three types, decoded and rounded by the definition of the formats and not by the code under test.

namespace splitpoint::test {

struct Format {
  int digits;         // of the significand, the hidden one included
  int leastExponent;  // of the last digit of the smallest number
  double largest;
};

inline Format formatOf(Type type) {
  switch (type) {
    case Type::fp16:
      return {11, -24, 65504};
    case Type::bf16:
      return {8, -133, std::ldexp(255.0, 120)};
    default:
      return {24, -149, std::ldexp(16777215.0, 104)};
  }
}

// To the nearest number of the type, ties to even; infinite beyond the largest number and half a digit more.
inline double rounded(Type type, double number) {
  const Format format = formatOf(type);
  if (number == 0 || !std::isfinite(number)) return number;
  int exponent;
  std::frexp(number, &exponent);
  const int digit = std::max(exponent - format.digits, format.leastExponent);
  const double near = std::ldexp(std::nearbyint(std::ldexp(number, -digit)), digit);
  return std::abs(near) > format.largest ? std::copysign(INFINITY, number) : near;
}

inline double decoded16(Type type, uint16_t bits) {
  const int fraction = type == Type::fp16 ? 10 : 7;
  const int bias = type == Type::fp16 ? 15 : 127;
  const int exponents = (1 << (15 - fraction)) - 1;
  const int exponent = (bits >> fraction) & exponents;
  const int digits = bits & ((1 << fraction) - 1);
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == exponents) return digits ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(digits, 1 - bias - fraction);
  return sign * std::ldexp(digits + (1 << fraction), exponent - bias - fraction);
}

// A tensor in memory of some type, and what its elements are.
class Tensor {
 public:
  Tensor(Type type, size_t count) : type_(type), bytes_(count * bytesOf(type), 0xff), count_(count) {}

  Type type() const { return type_; }
  void* data() { return bytes_.data(); }
  const void* data() const { return bytes_.data(); }
  size_t count() const { return count_; }
  double operator[](size_t i) const {
    if (type_ == Type::fp32) {
      float number;
      std::memcpy(&number, &bytes_[4 * i], 4);
      return number;
    }
    uint16_t bits;
    std::memcpy(&bits, &bytes_[2 * i], 2);
    return decoded16(type_, bits);
  }
  std::vector<double> numbers() const {
    std::vector<double> all(count_);
    for (size_t i = 0; i < count_; ++i) all[i] = (*this)[i];
    return all;
  }
  // `number` must be one of the type.
  void set(size_t i, double number) {
    if (type_ == Type::fp32) {
      const float exact = float(number);
      std::memcpy(&bytes_[4 * i], &exact, 4);
      return;
    }
    const int fraction = type_ == Type::fp16 ? 10 : 7;
    const int bias = type_ == Type::fp16 ? 15 : 127;
    const double magnitude = std::abs(number);
    int exponent = magnitude == 0 ? 1 : std::max(std::ilogb(magnitude) + bias, 1);
    int digits = int(std::ldexp(magnitude, fraction + bias - exponent));
    if (digits < 1 << fraction) exponent = 0;
    const auto bits =
        uint16_t((std::signbit(number) ? 0x8000 : 0) | exponent << fraction | (digits & ((1 << fraction) - 1)));
    std::memcpy(&bytes_[2 * i], &bits, 2);
  }

 private:
  Type type_;
  std::vector<uint8_t> bytes_;
  size_t count_;
};

using Random = std::mt19937;

inline size_t anyOf(Random& random, size_t least, size_t most) {
  return std::uniform_int_distribution<size_t>(least, most)(random);
}

inline Tensor randomTensor(Random& random, Type type, size_t count, double scale = 1) {
  Tensor tensor(type, count);
  std::normal_distribution<double> normal(0, scale);
  for (size_t i = 0; i < count; ++i) tensor.set(i, rounded(type, normal(random)));
  return tensor;
}

// Half a digit in the last place of numbers around `magnitude`, and fp32's error of a sum of `terms` numbers of that
// magnitude.
inline double toleranceOf(Type type, double magnitude, double terms) {
  return magnitude * (std::ldexp(1.0, -formatOf(type).digits) * 1.01 + terms * std::ldexp(1.0, -23)) + 1e-7;
}

constexpr Type kAllTypes[] = {Type::fp32, Type::fp16, Type::bf16};

}  // namespace splitpoint::test
