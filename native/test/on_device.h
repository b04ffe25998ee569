#pragma once

#include <utility>
#include <vector>

#include "core/device.h"
#include "test/check.h"
#include "test/cpu_oracle.h"

namespace splitpoint::test {

// Generous, because machines that run tests are busy; nothing waits this long unless it hangs.
constexpr double kPatience = 60;

inline void finish(Device& device) { CHECK(device.drained(kPatience)); }

// A tensor in a device's memory, between bytes that nothing may touch. It begins so many elements after a multiple of
// 256 bytes.
class OnDevice {
 public:
  OnDevice(Device& device, const Tensor& tensor, size_t elementsBefore = 0, Pool pool = Pool::gpu)
      : device_(device),
        pool_(pool),
        type_(tensor.type()),
        count_(tensor.count()),
        before_(kMargin + elementsBefore * bytesOf(type_)),
        memory_(static_cast<uint8_t*>(device.allocate(pool, before_ + bytes() + kMargin))) {
    device.setBytes(pool, memory_, kUntouched, before_ + bytes() + kMargin);
    // An empty tensor has no address.
    if (count_ > 0) device.write(pool, tensor.data(), at(), bytes());
  }
  ~OnDevice() { device_.free(pool_, memory_); }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

  uint8_t* at() const { return memory_ + before_; }
  uint64_t bytes() const { return count_ * bytesOf(type_); }
  uint64_t count() const { return count_; }

  // What it holds when all streams are empty.
  Tensor now() const {
    finish(device_);
    expectUntouched(memory_, before_);
    expectUntouched(at() + bytes(), kMargin);
    Tensor tensor(type_, count_);
    if (count_ > 0) device_.read(pool_, at(), tensor.data(), bytes());
    return tensor;
  }

 private:
  static constexpr uint64_t kMargin = 256;
  static constexpr uint8_t kUntouched = 0x5a;

  void expectUntouched(const uint8_t* from, uint64_t count) const {
    std::vector<uint8_t> found(count);
    device_.read(pool_, from, found.data(), count);
    CHECK(found == std::vector<uint8_t>(count, kUntouched));
  }

  Device& device_;
  Pool pool_;
  Type type_;
  uint64_t count_;
  uint64_t before_;
  uint8_t* memory_;
};

}  // namespace splitpoint::test
