#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

// The simulator's own plan, as sim/plan/plan.ts lays it out: the columns are its typed arrays, not copies of them.

namespace splitpoint {

enum Stream : uint8_t { kH2d, kD2h, kCompute, kHost };
constexpr int kStreams = 4;

enum class Kind : uint8_t {
  copyH2d,
  copyD2h,
  gemm,
  norm,
  rope,
  activation,
  attend,
  hostAttend,
  merge,
  append,
  embed,
  stepEnd,
};
constexpr int kKinds = 12;

// What an operand is to its operation; sim/plan/plan.ts says which ones each kind takes, and in which order.
enum class Role : uint8_t {
  input,
  output,
  update,  // read and written
  weight,
  weightTransposed,
  bias,
  query,
  cache,  // row 0: keys, row 1: values
  logSumExp,
};
constexpr int kRoles = 9;

// In the order of PRECISIONS; the quantised ones that follow there cannot be executed.
enum class Type : uint8_t { fp32, fp16, bf16 };
constexpr int kTypes = 3;

constexpr uint64_t bytesOf(Type type) { return type == Type::fp32 ? 4 : 2; }

enum class Pool : uint8_t { gpu, pinned, host };
constexpr int kPools = 3;

struct BufferSpec {
  std::string name;
  Pool pool;
  uint64_t bytes;
  // Holds data before the first operation or after the last one.
  bool persistent;
};

// Numbers of the model that kernels need besides sizes.
struct ModelNumbers {
  uint32_t batch;  // sequences of a micro-batch
  uint32_t heads;
  uint32_t kvHeads;
  uint32_t headDim;
  float ropeTheta;
  float normEpsilon;
  bool silu;  // activation function: SiLU, otherwise ReLU
};

// Columns are views of memory that must outlive the plan. Offsets and sizes are bytes; doubles hold whole numbers.
struct Plan {
  uint32_t count = 0;
  std::span<const uint8_t> stream;
  std::span<const uint8_t> group;
  std::span<const uint16_t> layer;
  std::span<const uint32_t> step;
  std::span<const uint16_t> microBatch;
  // Position of the first token that the operation concerns.
  std::span<const uint32_t> token;
  std::span<const uint32_t> work;
  std::span<const uint32_t> dependencyStart;  // count + 1
  std::span<const uint32_t> dependency;

  struct Works {
    uint32_t count = 0;
    std::span<const uint8_t> kind;
    std::span<const uint8_t> dtype;
    std::span<const double> m, n, k, batch;
  } works;

  struct Operands {
    std::span<const uint32_t> start;  // count + 1
    std::span<const uint32_t> buffer;
    std::span<const uint8_t> role;
    std::span<const double> offsetBytes;
    std::span<const double> rowBytes;
    std::span<const uint32_t> rows;
    std::span<const double> strideBytes;
    std::span<const uint8_t> write;
  } operands;

  ModelNumbers model{};
};

}  // namespace splitpoint
