#pragma once

#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/device.h"
#include "core/names.h"
#include "core/text.h"

namespace splitpoint::test {

// Notes what it is asked to do and does none of it. Every command takes a second.
class FakeDevice : public Device {
 public:
  struct Log {
    std::vector<std::string> calls;
    std::set<void*> allocated;
    int cancels = 0;
  };
  explicit FakeDevice(Log& log, uint32_t limit = 1000) : log_(log), limit_(limit) {}

  std::string failAt;  // the call that fails

  DeviceInfo info() override {
    DeviceInfo info;
    info.gpuFreeBytes = 1 << 20;
    info.hostFreeBytes = 1 << 20;
    return info;
  }
  void* allocate(Pool pool, uint64_t bytes) override {
    if (failAt == "allocate" && log_.allocated.size() == 3) throw OutOfMemory(pool, bytes, 0, "no memory");
    return *log_.allocated.insert(std::calloc(bytes, 1)).first;
  }
  void free(Pool, void* memory) override {
    log_.allocated.erase(memory);
    std::free(memory);
  }
  void fill(Pool, const Fill&) override {}
  void setBytes(Pool, void* target, uint8_t value, uint64_t bytes) override { std::memset(target, value, bytes); }
  void read(Pool, const void* source, void* target, uint64_t bytes) override { std::memcpy(target, source, bytes); }
  void write(Pool, const void* source, void* target, uint64_t bytes) override { std::memcpy(target, source, bytes); }

  void copy(Stream stream, const Copy&) override { command(stream, "copy"); }
  void capture(Stream stream, const Copy&) override { command(stream, "capture"); }
  void embed(Stream stream, const Embed&) override { command(stream, "embed"); }
  void norm(Stream stream, const Norm&) override { command(stream, "norm"); }
  void rope(Stream stream, const Rope&) override { command(stream, "rope"); }
  void activate(Stream stream, const Activate&) override { command(stream, "activate"); }
  void gemm(Stream stream, const Gemm&) override { command(stream, "gemm"); }
  void attend(Stream stream, const Attend& attend) override {
    lastAttend = attend;
    command(stream, "attend");
  }
  void merge(Stream stream, const Merge&) override { command(stream, "merge"); }
  void append(Stream stream, const Append&) override { command(stream, "append"); }

  uint32_t gateLimit() override { return limit_; }
  void resetEvents(uint32_t count) override { times_.assign(count, -1); }
  void record(Stream stream, uint32_t event, bool crosses) override {
    log_.calls.push_back(text(nameOf(stream), crosses ? " record crossing " : " record ", event));
    times_.at(event) = now_[stream];
  }
  void wait(Stream stream, uint32_t event) override {
    log_.calls.push_back(text(nameOf(stream), " wait ", event));
    now_[stream] = std::max(now_[stream], times_.at(event));
  }
  bool reached(uint32_t event) override { return times_.at(event) >= 0; }
  double secondsBetween(uint32_t from, uint32_t to) override { return times_.at(to) - times_.at(from); }
  void closeGate() override { log_.calls.push_back("close"); }
  double openGate() override {
    log_.calls.push_back("open");
    return 0.25;
  }
  bool drained(double) override { return true; }
  void cancel() override { ++log_.cancels; }

  Attend lastAttend{};

 private:
  void command(Stream stream, const char* name) {
    if (failAt == name) throw DeviceError("the device failed");
    log_.calls.push_back(text(nameOf(stream), " ", name));
    now_[stream] += 1;
  }

  Log& log_;
  uint32_t limit_;
  std::vector<double> times_;
  std::map<int, double> now_;
};

}  // namespace splitpoint::test
