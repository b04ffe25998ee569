#include "core/operand_reader.h"

#include <cmath>

#include "core/check.h"
#include "core/names.h"
#include "core/text.h"

namespace splitpoint {

namespace {

// Libraries and kernels count in 32-bit integers.
constexpr uint64_t kMaxExtent = INT32_MAX;

}  // namespace

OperandReader::OperandReader(const Plan& plan, uint32_t operation, std::span<const uintptr_t> memory)
    : plan_(plan),
      operation_(operation),
      memory_(memory),
      next_(plan.operands.start[operation]),
      end_(plan.operands.start[operation + 1]),
      type_(Type(plan.works.dtype[plan.work[operation]])) {}

Operand OperandReader::take(Role role, bool write) {
  if (atEnd()) fail(text("has no operand where it takes one as ", nameOf(role)));
  Operand operand = operandAt(plan_.operands, next_);
  if (operand.role != role) {
    fail(text("has an operand as ", nameOf(operand.role), " where it takes one as ", nameOf(role)));
  }
  if (operand.write != write) {
    fail(text(write ? "only reads" : "writes", " its ", nameOf(role), ", which it ", write ? "writes" : "reads"));
  }
  ++next_;
  return operand;
}

Operand OperandReader::takeDense(Role role, bool write, uint64_t elementBytes) {
  Operand operand = take(role, write);
  if (operand.range.rows != 1) fail(text("takes its ", nameOf(role), " in one piece, not in rows"));
  uint64_t unit = elementBytes ? elementBytes : this->elementBytes();
  if (operand.range.offset % unit || operand.range.rowBytes % unit) {
    fail(text("has its ", nameOf(role), " in ", operand.range.rowBytes, " bytes from byte ", operand.range.offset,
              " on, which is not in elements of ", unit, " bytes"));
  }
  return operand;
}

Operand OperandReader::takeDense(Role role, bool write, uint64_t elementBytes, uint64_t bytes) {
  Operand operand = takeDense(role, write, elementBytes);
  expectBytes(operand, bytes);
  return operand;
}

void* OperandReader::address(const Operand& operand) const {
  return reinterpret_cast<void*>(memory_[operand.buffer] + uintptr_t(operand.range.offset));
}

void OperandReader::expectBytes(const Operand& operand, uint64_t bytes) const {
  if (operand.range.bytes() == bytes) return;
  fail(text("has ", operand.range.bytes(), " bytes as ", nameOf(operand.role), ", expected ", bytes));
}

uint32_t OperandReader::countOf(const Operand& operand, uint64_t bytes, uint64_t each, const char* what) const {
  if (bytes % each || bytes / each == 0 || bytes / each > kMaxExtent) {
    fail(text("has ", bytes, " bytes as ", nameOf(operand.role), ", which are not ", what, " of ", each, " bytes"));
  }
  return uint32_t(bytes / each);
}

uint32_t OperandReader::extent(double value, const char* name) const {
  if (!(value >= 1 && value <= double(kMaxExtent)) || value != std::floor(value)) {
    fail(text("has work whose ", name, " is ", value, ", expected a whole number from 1 to ", kMaxExtent));
  }
  return uint32_t(value);
}

void OperandReader::expectExtent(double value, const char* name, uint64_t expected) const {
  if (value != double(expected)) {
    fail(text("has work whose ", name, " is ", value, ", but its operands say ", expected));
  }
}

void OperandReader::expectEnd() const {
  if (!atEnd()) fail(text("has an operand as ", nameOf(operandAt(plan_.operands, next_).role), " too many"));
}

void OperandReader::fail(const std::string& problem) const {
  Kind kind = Kind(plan_.works.kind[plan_.work[operation_]]);
  throw PlanError(text("operation ", operation_, " (", nameOf(kind), ") ", problem));
}

}  // namespace splitpoint
