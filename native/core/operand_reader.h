#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/operand.h"
#include "core/plan.h"

namespace splitpoint {

// Takes the operands of an operation one after another, in the order that its kind documents. Everything throws
// PlanError naming the operation where the plan is not so.
class OperandReader {
 public:
  OperandReader(const Plan& plan, uint32_t operation, std::span<const uintptr_t> memory);

  Type type() const { return type_; }
  uint64_t elementBytes() const { return bytesOf(type_); }

  bool atEnd() const { return next_ == end_; }
  // Whether the next operand has this role.
  bool nextIs(Role role) const { return !atEnd() && operandAt(plan_.operands, next_).role == role; }

  // The next operand, which must have this role and be written or read.
  Operand take(Role role, bool write);
  // The same, in contiguous elements of the type (of `elementBytes` bytes where stated); its bytes must be `bytes`
  // where stated.
  Operand takeDense(Role role, bool write, uint64_t elementBytes = 0);
  Operand takeDense(Role role, bool write, uint64_t elementBytes, uint64_t bytes);
  void* address(const Operand& operand) const;

  void expectBytes(const Operand& operand, uint64_t bytes) const;
  // `bytes` divided by the size of what an operand consists of; it must go without remainder and fit 31 bits.
  uint32_t countOf(const Operand& operand, uint64_t bytes, uint64_t each, const char* what) const;
  // An extent of the operation's work, which must be a whole number from 1 on that fits 31 bits.
  uint32_t extent(double value, const char* name) const;
  // Throws unless an extent of the work is what the operands say.
  void expectExtent(double value, const char* name, uint64_t expected) const;
  void expectEnd() const;

  [[noreturn]] void fail(const std::string& problem) const;

 private:
  const Plan& plan_;
  uint32_t operation_;
  std::span<const uintptr_t> memory_;
  uint32_t next_;
  uint32_t end_;
  Type type_;
};

}  // namespace splitpoint
