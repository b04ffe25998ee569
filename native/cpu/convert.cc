#include "cpu/convert.h"

#include <bit>
#include <cstring>

#include "cpu/clones.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace splitpoint {
namespace {

// Exponent fields of fp32 numbers.
constexpr uint32_t exponent(int power) { return uint32_t(127 + power) << 23; }
constexpr uint32_t kInfinity = exponent(128);
constexpr uint32_t kSign = 0x80000000u;
constexpr uint32_t kHalfBias = exponent(0) - (15u << 23);  // added to an exponent field when fp16 becomes fp32

// Without branches, so that compilers vectorise it.
SPLITPOINT_INLINE float halfToFloat(uint16_t half) {
  const uint32_t magnitude = uint32_t(half & 0x7fff) << 13;
  const uint32_t exponentField = magnitude & (0x1fu << 23);
  const uint32_t normal = magnitude + kHalfBias + (exponentField == (0x1fu << 23) ? kHalfBias : 0);
  // A subnormal's digits on top of the smallest normal number, which is then taken away.
  const float subnormal = std::bit_cast<float>(magnitude + exponent(-14)) - std::bit_cast<float>(exponent(-14));
  const uint32_t bits = exponentField == 0 ? std::bit_cast<uint32_t>(subnormal) : normal;
  return std::bit_cast<float>(bits | uint32_t(half & 0x8000) << 16);
}

SPLITPOINT_INLINE uint16_t floatToHalf(float number) {
  const uint32_t bits = std::bit_cast<uint32_t>(number);
  const uint32_t sign = bits & kSign;
  const uint32_t magnitude = bits ^ sign;
  const uint32_t special = magnitude > kInfinity ? 0x7e00 : 0x7c00;
  // Adding a number whose last digit is fp16's last one makes the adder round.
  constexpr uint32_t kRounder = exponent(-15 + 23 - 10 + 1);
  const uint32_t subnormal =
      std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + std::bit_cast<float>(kRounder)) - kRounder;
  const uint32_t normal = (magnitude - kHalfBias + 0xfff + ((magnitude >> 13) & 1)) >> 13;
  const uint32_t half = magnitude >= exponent(16) ? special : magnitude < exponent(-14) ? subnormal : normal;
  return uint16_t(half | sign >> 16);
}

SPLITPOINT_INLINE uint16_t floatToBfloat(float number) {
  const uint32_t bits = std::bit_cast<uint32_t>(number);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const uint32_t quiet = bits >> 16 | 0x40;
  return uint16_t((bits & ~kSign) > kInfinity ? quiet : rounded);
}

SPLITPOINT_CLONES
void widenBfloat(const uint16_t* from, float* to, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] = std::bit_cast<float>(uint32_t(from[i]) << 16);
}

SPLITPOINT_CLONES
void narrowBfloat(const float* from, uint16_t* to, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] = floatToBfloat(from[i]);
}

#if defined(__x86_64__)
[[gnu::target("avx,f16c")]] void widenHalf(const uint16_t* from, float* to, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i))));
  for (; i < count; ++i) to[i] = _cvtsh_ss(from[i]);
}

[[gnu::target("avx,f16c")]] void narrowHalf(const float* from, uint16_t* to, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT));
  for (; i < count; ++i) to[i] = _cvtss_sh(from[i], _MM_FROUND_TO_NEAREST_INT);
}

bool hasHalf() { return __builtin_cpu_supports("avx") && __builtin_cpu_supports("f16c"); }
#else
void widenHalf(const uint16_t* from, float* to, size_t count) { widenHalfPortably(from, to, count); }
void narrowHalf(const float* from, uint16_t* to, size_t count) { narrowHalfPortably(from, to, count); }
bool hasHalf() { return false; }
#endif

}  // namespace

SPLITPOINT_CLONES
void widenHalfPortably(const uint16_t* from, float* to, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] = halfToFloat(from[i]);
}

SPLITPOINT_CLONES
void narrowHalfPortably(const float* from, uint16_t* to, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] = floatToHalf(from[i]);
}

void widen(Type type, const void* from, float* to, size_t count) {
  const auto* bits = static_cast<const uint16_t*>(from);
  switch (type) {
    case Type::fp32:
      std::memcpy(to, from, count * sizeof(float));
      return;
    case Type::fp16:
      return hasHalf() ? widenHalf(bits, to, count) : widenHalfPortably(bits, to, count);
    case Type::bf16:
      return widenBfloat(bits, to, count);
  }
}

void narrow(Type type, const float* from, void* to, size_t count) {
  auto* bits = static_cast<uint16_t*>(to);
  switch (type) {
    case Type::fp32:
      std::memmove(to, from, count * sizeof(float));
      return;
    case Type::fp16:
      return hasHalf() ? narrowHalf(from, bits, count) : narrowHalfPortably(from, bits, count);
    case Type::bf16:
      return narrowBfloat(from, bits, count);
  }
}

}  // namespace splitpoint
