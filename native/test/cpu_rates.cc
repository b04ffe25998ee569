// Prints what the CPU backend reaches on this machine: the error of paced copies, multiplication, attention, and the
// time between dependent operations. A measurement, not a test.

#include <algorithm>
#include <cstdio>
#include <vector>

#include "cpu/cpu_device.h"

namespace splitpoint {
namespace {

constexpr double kPatience = 600;

struct Buffer {
  Buffer(Device& device, uint64_t bytes) : device(device), memory(device.allocate(Pool::host, bytes)) {}
  ~Buffer() { device.free(Pool::host, memory); }
  Device& device;
  void* memory;
};

double median(std::vector<double> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers[numbers.size() / 2];
}

// Median seconds of what `enqueue` puts into a stream.
template <class Enqueue>
double secondsOf(CpuDevice& device, Stream stream, int repeats, const Enqueue& enqueue) {
  std::vector<double> seconds;
  for (int i = -1; i < repeats; ++i) {
    device.resetEvents(2);
    device.closeGate();
    device.record(stream, 0, false);
    enqueue();
    device.record(stream, 1, false);
    device.openGate();
    device.drained(kPatience);
    if (i >= 0) seconds.push_back(device.secondsBetween(0, 1));
  }
  return median(seconds);
}

void printCopies() {
  std::printf("\nPaced copies: achieved rate's error\n%12s %14s %14s %10s\n", "asked GB/s", "bytes", "median ms",
              "error");
  for (double rate : {0.5e9, 1e9, 2e9, 4e9, 8e9}) {
    CpuDevice device({.linkBytesPerSecond = rate});
    for (uint64_t bytes :
         {uint64_t(1) << 12, uint64_t(1) << 16, uint64_t(1) << 20, uint64_t(1) << 22, uint64_t(1) << 26}) {
      Buffer source(device, bytes), target(device, bytes);
      const double seconds = secondsOf(device, kH2d, bytes > 1 << 24 ? 5 : 41, [&] {
        device.copy(kH2d, {source.memory, target.memory, bytes, 1, bytes, bytes});
      });
      std::printf("%12.1f %14llu %14.4f %9.2f%%\n", rate / 1e9, (unsigned long long)bytes, seconds * 1e3,
                  (double(bytes) / seconds / rate - 1) * 100);
    }
  }
  CpuDevice device({});
  for (uint64_t bytes : {uint64_t(1) << 20, uint64_t(1) << 24, uint64_t(1) << 28}) {
    Buffer source(device, bytes), target(device, bytes);
    const double seconds = secondsOf(device, kH2d, 7, [&] {
      device.copy(kH2d, {source.memory, target.memory, bytes, 1, bytes, bytes});
    });
    std::printf("%12s %14llu %14.4f %6.2f GB/s\n", "unpaced", (unsigned long long)bytes, seconds * 1e3,
                double(bytes) / seconds / 1e9);
  }
}

constexpr const char* kTypeNames[kTypes] = {"fp32", "fp16", "bf16"};

void printProducts() {
  CpuDevice device({});
  std::printf("\nMultiplication by %s\n%6s %22s %10s\n", device.info().blas.c_str(), "type", "m × n × k", "GFLOP/s");
  struct Shape {
    uint64_t m, n, k;
    bool bTransposed;
  };
  for (Type type : {Type::fp32, Type::fp16, Type::bf16}) {
    for (const Shape& shape : {Shape{4, 2048, 2048, false},
                               {32, 2048, 2048, false},
                               {1024, 1024, 1024, false},
                               {4096, 1024, 1024, false},
                               {4096, 1024, 1024, true}}) {
      const uint64_t bytes = bytesOf(type);
      Buffer a(device, shape.m * shape.k * bytes), b(device, shape.k * shape.n * bytes),
          c(device, shape.m * shape.n * bytes);
      device.fill(Pool::host, {type, a.memory, shape.m * shape.k, 1, 0, 1, 0});
      device.fill(Pool::host, {type, b.memory, shape.n * shape.k, 2, 0, 1, 0});
      const double seconds = secondsOf(device, kCompute, 5, [&] {
        device.gemm(kCompute, {type, shape.m, shape.n, shape.k, a.memory, b.memory, shape.bTransposed, nullptr, false,
                               false, c.memory});
      });
      std::printf("%6s %6llu × %4llu × %4llu %s %10.1f\n", kTypeNames[int(type)], (unsigned long long)shape.m,
                  (unsigned long long)shape.n, (unsigned long long)shape.k, shape.bTransposed ? "bᵀ" : "b ",
                  2e-9 * double(shape.m * shape.n * shape.k) / seconds);
    }
  }
}

void printAttention() {
  CpuDevice device({});
  std::printf("\nAttention on %u host threads: keys and values read\n%6s %6s %6s %8s %8s %10s\n",
              device.info().hostThreads, "type", "batch", "heads", "kvHeads", "tokens", "GB/s");
  struct Shape {
    uint32_t batch, heads, kvHeads, tokens;
  };
  constexpr uint32_t headDim = 128;
  for (Type type : {Type::fp32, Type::fp16, Type::bf16}) {
    for (const Shape& shape : {Shape{1, 32, 32, 4096}, {8, 32, 32, 1024}, {16, 32, 8, 1024}, {1, 32, 4, 16384}}) {
      const uint64_t query = uint64_t(shape.batch) * shape.heads * headDim;
      const uint64_t cache = uint64_t(shape.tokens) * shape.batch * shape.kvHeads * headDim;
      Buffer q(device, query * bytesOf(type)), output(device, query * bytesOf(type));
      Buffer keys(device, cache * bytesOf(type)), values(device, cache * bytesOf(type));
      device.fill(Pool::host, {type, q.memory, query, 1, 0, 1, 0});
      device.fill(Pool::host, {type, keys.memory, cache, 2, 0, 1, 0});
      device.fill(Pool::host, {type, values.memory, cache, 3, 0, 1, 0});
      const double seconds = secondsOf(device, kHost, 5, [&] {
        device.attend(kHost, {type,
                              shape.batch,
                              shape.heads,
                              shape.kvHeads,
                              headDim,
                              q.memory,
                              {{keys.memory, values.memory, shape.tokens}},
                              1,
                              output.memory,
                              nullptr});
      });
      std::printf("%6s %6u %6u %8u %8u %10.2f\n", kTypeNames[int(type)], shape.batch, shape.heads, shape.kvHeads,
                  shape.tokens, 2e-9 * double(cache * bytesOf(type)) / seconds);
    }
  }
}

void printHandover() {
  constexpr uint32_t hops = 4000;
  CpuDevice device({});
  std::printf("\nTime between dependent operations\n");
  for (bool sameStream : {true, false}) {
    device.resetEvents(hops);
    device.closeGate();
    const auto start = Clock::now();
    for (uint32_t hop = 0; hop < hops; ++hop) {
      const Stream stream = hop % 2 && !sameStream ? kH2d : kCompute;
      if (hop > 0) device.wait(stream, hop - 1);
      device.record(stream, hop, false);
    }
    const double enqueue = std::chrono::duration<double>(Clock::now() - start).count();
    device.openGate();
    device.drained(kPatience);
    std::vector<double> gaps;
    for (uint32_t hop = 1; hop < hops; ++hop) gaps.push_back(device.secondsBetween(hop - 1, hop) * 1e6);
    std::sort(gaps.begin(), gaps.end());
    std::printf("%s: median %.2f µs, 95th percentile %.2f µs, mean %.2f µs; enqueueing %.2f µs an operation\n",
                sameStream ? "one stream " : "two streams", gaps[hops / 2], gaps[hops * 95 / 100],
                device.secondsBetween(0, hops - 1) * 1e6 / (hops - 1), enqueue * 1e6 / hops);
  }
}

// From the end of a copy that was long enough for its waiter to fall asleep.
void printWaking() {
  constexpr uint32_t hops = 200;
  CpuDevice device({.linkBytesPerSecond = 1e9});
  Buffer memory(device, 2 << 20);
  device.resetEvents(2 * hops);
  device.closeGate();
  for (uint32_t hop = 0; hop < hops; ++hop) {
    if (hop > 0) device.wait(kH2d, 2 * hop - 1);
    device.copy(kH2d, {memory.memory, static_cast<char*>(memory.memory) + (1 << 20), 1 << 20, 1, 1 << 20, 1 << 20});
    device.record(kH2d, 2 * hop, false);
    device.wait(kCompute, 2 * hop);
    device.record(kCompute, 2 * hop + 1, false);
  }
  device.openGate();
  device.drained(kPatience);
  std::vector<double> gaps;
  for (uint32_t hop = 0; hop < hops; ++hop) gaps.push_back(device.secondsBetween(2 * hop, 2 * hop + 1) * 1e6);
  std::sort(gaps.begin(), gaps.end());
  std::printf("after 1 ms : median %.2f µs, 95th percentile %.2f µs\n", gaps[hops / 2], gaps[hops * 95 / 100]);
}

void printFill() {
  CpuDevice device({});
  constexpr uint64_t count = 64 << 20;
  Buffer target(device, 4 * count);
  const auto start = Clock::now();
  device.fill(Pool::host, {Type::fp16, target.memory, count, 1, 0, 1, 0});
  std::printf("\nRandom numbers: %.0f million a second\n",
              double(count) / 1e6 / std::chrono::duration<double>(Clock::now() - start).count());
}

}  // namespace
}  // namespace splitpoint

int main() {
  splitpoint::printHandover();
  splitpoint::printWaking();
  splitpoint::printCopies();
  splitpoint::printProducts();
  splitpoint::printAttention();
  splitpoint::printFill();
}
