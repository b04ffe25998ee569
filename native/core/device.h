#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "core/plan.h"

// What the executor asks of a machine. Two backends implement it: cpu/ (threads) and cuda/ (streams). Matrices are
// row-major and dense. Kernels compute in fp32 (sums, softmax, norms) whatever the type of their operands.

namespace splitpoint {

struct OutOfMemory : std::runtime_error {
  OutOfMemory(Pool pool, uint64_t asked, uint64_t available, const std::string& what)
      : std::runtime_error(what), pool(pool), asked(asked), available(available) {}
  Pool pool;
  uint64_t asked;
  uint64_t available;
};

// A device that is not there, a library that is missing, a call that failed: the text says what to do.
struct DeviceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct DeviceInfo {
  std::string backend;  // "cpu" or "cuda"
  std::string name;
  std::string driver;  // driver and runtime versions, empty on the CPU
  std::string blas;    // the library that multiplies matrices, with its version or path
  uint64_t gpuBytes = 0;
  uint64_t gpuFreeBytes = 0;
  uint64_t hostBytes = 0;
  uint64_t hostFreeBytes = 0;
  uint32_t multiprocessors = 0;
  uint32_t hostThreads = 0;  // threads of the host's attention
};

struct Copy {
  const void* source;
  void* target;
  uint64_t rowBytes;
  uint64_t rows;
  uint64_t sourceStride;  // bytes between rows
  uint64_t targetStride;
};

// output (batch × width) = table[token] (+ positions[position]); the token of each sequence is drawn by `drawnToken`
// (core/random.h).
struct Embed {
  Type type;
  const void* table;  // vocab × width
  uint32_t vocab;
  const void* positions;  // learnedPositions × width, or null; positions beyond the table wrap
  uint32_t learnedPositions;
  uint32_t position;
  uint32_t microBatch;
  uint32_t batch;
  uint32_t width;
  void* output;
};

// Each row normalised: layer norm where there is a bias, RMS norm where it is null. Input and output may be the same.
struct Norm {
  Type type;
  uint64_t rows;
  uint32_t width;
  const void* input;
  const void* weight;
  const void* bias;
  float epsilon;
  void* output;
};

// Rotary embedding in place, halves rotated against each other (GPT-NeoX, Llama):
// (x, y) at (i, i + headDim/2) turns by position · theta^(−2i/headDim). Data: tokens × headsPerToken × headDim.
struct Rope {
  Type type;
  void* data;
  uint32_t tokens;
  uint32_t firstPosition;
  uint32_t headsPerToken;  // of all sequences together
  uint32_t headDim;
  float theta;
};

// output[i] = f(gate[i]) (· up[i] unless up is null). The output may be the gate.
struct Activate {
  Type type;
  bool silu;  // otherwise ReLU
  uint64_t count;
  const void* gate;
  const void* up;
  void* output;
};

// c (m × n) = a (m × k) · b + bias (+ c). b is k × n, or n × k where transposed. The bias (n) may be null.
struct Gemm {
  Type type;
  uint64_t m, n, k;
  const void* a;
  const void* b;
  bool bTransposed;
  const void* bias;
  bool accumulate;
  bool fp32Output;
  void* c;
};

// A run of cached tokens: keys and values are each tokens × batch × kvHeads × headDim.
struct CacheSegment {
  const void* keys;
  const void* values;
  uint32_t tokens;
};

constexpr int kMaxSegments = 3;

// One query token of each sequence attends the segments' tokens, scaled by 1/sqrt(headDim).
// Query and output: batch × heads × headDim; head h reads key/value head h / (heads / kvHeads).
struct Attend {
  Type type;
  uint32_t batch;
  uint32_t heads;
  uint32_t kvHeads;
  uint32_t headDim;
  const void* query;
  CacheSegment segment[kMaxSegments];
  int segments;
  void* output;
  float* logSumExp;  // batch × heads, natural logarithm of the sum of exponentials of the scaled scores; may be null
};

// attended = (attended·e^own + other·e^others) / (e^own + e^others), for each of rows = batch · heads.
struct Merge {
  Type type;
  uint32_t rows;
  uint32_t headDim;
  const void* other;
  const float* otherLogSumExp;
  const float* ownLogSumExp;
  void* attended;
};

constexpr int kMaxAppendTargets = 2;

// The new token's keys and values (each `bytes`) into one or two places.
struct Append {
  uint64_t bytes;
  const void* keys;
  const void* values;
  struct Target {
    void* keys;
    void* values;
  } target[kMaxAppendTargets];
  int targets;
};

// Random numbers: element i is scale · normalAt(seed, firstIndex + i) + shift (core/random.h), rounded to the type.
struct Fill {
  Type type;
  void* target;
  uint64_t count;
  uint64_t seed;
  uint64_t firstIndex;
  float scale;
  float shift;
};

// Streams run what is enqueued on them in order; events order streams among each other and carry the time they were
// recorded at. Enqueueing never waits for work to be done, unless a backend's queue is full.
class Device {
 public:
  virtual ~Device() = default;
  virtual DeviceInfo info() = 0;

  // 256-byte aligned. Throws OutOfMemory.
  virtual void* allocate(Pool pool, uint64_t bytes) = 0;
  virtual void free(Pool pool, void* memory) = 0;

  // Outside of execution; these return when done. Host memory and device memory alike (`pool` says which).
  virtual void fill(Pool pool, const Fill& fill) = 0;
  virtual void setBytes(Pool pool, void* target, uint8_t value, uint64_t bytes) = 0;
  virtual void read(Pool pool, const void* source, void* target, uint64_t bytes) = 0;
  virtual void write(Pool pool, const void* source, void* target, uint64_t bytes) = 0;

  // Copies: the direction is the stream's (kH2d or kD2h).
  virtual void copy(Stream stream, const Copy& copy) = 0;
  // The same on any stream, from memory of any pool that the stream's operations may use to pinned memory, not paced.
  virtual void capture(Stream stream, const Copy& copy) = 0;
  virtual void embed(Stream stream, const Embed& embed) = 0;
  virtual void norm(Stream stream, const Norm& norm) = 0;
  virtual void rope(Stream stream, const Rope& rope) = 0;
  virtual void activate(Stream stream, const Activate& activate) = 0;
  virtual void gemm(Stream stream, const Gemm& gemm) = 0;
  // On kCompute in device memory, on kHost by the host's cores in host memory.
  virtual void attend(Stream stream, const Attend& attend) = 0;
  virtual void merge(Stream stream, const Merge& merge) = 0;
  virtual void append(Stream stream, const Append& append) = 0;

  // Operations whose commands one stream may hold before the gate opens; the executor gates no more at a time.
  virtual uint32_t gateLimit() = 0;
  // Makes room for events 0 .. count − 1, none of them recorded. Only while nothing is enqueued.
  virtual void resetEvents(uint32_t count) = 0;
  // `crosses`: a stream on the other side (the host's stream against the device's) will wait for it.
  virtual void record(Stream stream, uint32_t event, bool crosses) = 0;
  virtual void wait(Stream stream, uint32_t event) = 0;
  virtual bool reached(uint32_t event) = 0;
  // Seconds between two events that were reached.
  virtual double secondsBetween(uint32_t from, uint32_t to) = 0;

  // Holds back everything enqueued from here on, on all streams, until `openGate` (or for a few seconds at most).
  virtual void closeGate() = 0;
  // Returns the seconds it spent enqueueing what a backend had only noted down behind the gate.
  virtual double openGate() = 0;
  // Returns when all streams are empty, within `seconds` at most: true when they are. Throws DeviceError where work
  // failed.
  virtual bool drained(double seconds) = 0;
  // Drops what has not begun, opens the gate; `drained` then comes soon.
  virtual void cancel() = 0;
};

}  // namespace splitpoint
