#include "core/command.h"

#include "core/operand_reader.h"
#include "core/product.h"
#include "core/text.h"

namespace splitpoint {

namespace {

struct Context {
  const Plan& plan;
  uint32_t operation;
  OperandReader& operands;

  double m() const { return plan.works.m[plan.work[operation]]; }
  double n() const { return plan.works.n[plan.work[operation]]; }
  double k() const { return plan.works.k[plan.work[operation]]; }
  double batch() const { return plan.works.batch[plan.work[operation]]; }
  // Bytes of one token of every sequence in a plane of a cache.
  uint64_t tokenBytes() const {
    return product(plan.model.batch, plan.model.kvHeads, plan.model.headDim, operands.elementBytes());
  }
  // Attention's queries and outputs.
  uint64_t headsBytes() const {
    return product(plan.model.batch, plan.model.heads, plan.model.headDim, operands.elementBytes());
  }
  uint64_t logSumExpBytes() const { return product(plan.model.batch, plan.model.heads, sizeof(float)); }
};

using Commands = std::vector<Command>;

Commands copy(const Context& context) {
  OperandReader& operands = context.operands;
  Operand source = operands.take(Role::input, false);
  Operand target = operands.take(Role::output, true);
  operands.expectEnd();
  operands.expectBytes(target, source.range.bytes());
  operands.expectExtent(context.m() * context.n(), "size in bytes", source.range.bytes());
  Copy command{operands.address(source), operands.address(target), 0, 0, 0, 0};
  const Range &from = source.range, &to = target.range;
  // One side may be contiguous where the other is in rows.
  const Range& rows = from.rows > 1 ? from : to;
  bool sameRows = (from.rows == 1 || to.rows == 1 || from.rows == to.rows) && source.statedRows == target.statedRows;
  if (!sameRows) {
    operands.fail(text("copies ", source.statedRows, " rows to ", target.statedRows, ", expected equally many"));
  }
  command.rowBytes = rows.rowBytes;
  command.rows = rows.rows;
  command.sourceStride = from.rows > 1 ? from.stride : rows.rowBytes;
  command.targetStride = to.rows > 1 ? to.stride : rows.rowBytes;
  return {command};
}

Commands gemm(const Context& context) {
  OperandReader& operands = context.operands;
  const uint64_t element = operands.elementBytes();
  const uint64_t m = operands.extent(context.m(), "m"), k = operands.extent(context.k(), "k");
  Operand a = operands.takeDense(Role::input, false, element, product(m, k, element));
  Commands panels;
  uint64_t columns = 0;
  do {
    const bool transposed = operands.nextIs(Role::weightTransposed);
    Operand b = operands.takeDense(transposed ? Role::weightTransposed : Role::weight, false);
    const uint64_t n = operands.countOf(b, b.range.bytes(), product(k, element), "columns");
    const void* bias = nullptr;
    if (operands.nextIs(Role::bias)) {
      bias = operands.address(operands.takeDense(Role::bias, false, element, product(n, element)));
    }
    const bool accumulate = operands.nextIs(Role::update);
    Operand c = operands.takeDense(accumulate ? Role::update : Role::output, true);
    const bool wide = !accumulate && c.range.bytes() == product(m, n, sizeof(float)) && element != sizeof(float);
    if (wide && c.range.offset % sizeof(float)) operands.fail("has an fp32 output that is not in elements of 4 bytes");
    if (!wide) operands.expectBytes(c, product(m, n, element));
    panels.push_back(Gemm{operands.type(), m, n, k, operands.address(a), operands.address(b), transposed, bias,
                          accumulate, wide, operands.address(c)});
    columns += n;
  } while (!operands.atEnd());
  operands.expectExtent(context.n() * context.batch(), "number of columns", columns);
  return panels;
}

Commands norm(const Context& context) {
  OperandReader& operands = context.operands;
  Commands norms;
  do {
    Operand weight = operands.takeDense(Role::weight, false);
    const uint64_t widthBytes = weight.range.bytes();
    const uint32_t width = operands.countOf(weight, widthBytes, operands.elementBytes(), "elements");
    const void* bias = nullptr;
    if (operands.nextIs(Role::bias)) {
      bias = operands.address(operands.takeDense(Role::bias, false, 0, widthBytes));
    }
    const bool inPlace = operands.nextIs(Role::update);
    Operand input = operands.takeDense(inPlace ? Role::update : Role::input, inPlace);
    const uint64_t rows = operands.countOf(input, input.range.bytes(), widthBytes, "rows");
    Operand output = inPlace ? input : operands.takeDense(Role::output, true, 0, input.range.bytes());
    norms.push_back(Norm{operands.type(), rows, width, operands.address(input), operands.address(weight), bias,
                         context.plan.model.normEpsilon, operands.address(output)});
  } while (!operands.atEnd());
  return norms;
}

Commands rope(const Context& context) {
  OperandReader& operands = context.operands;
  const ModelNumbers& model = context.plan.model;
  if (model.headDim % 2) operands.fail(text("rotates halves of heads of ", model.headDim, " elements, an odd number"));
  const uint32_t tokens = operands.extent(context.k(), "k (tokens)");
  const uint32_t first = context.plan.token[context.operation];
  if (uint64_t(first) + tokens > INT32_MAX) operands.fail(text("begins at position ", first, ", which is too far"));
  Commands ropes;
  do {
    Operand data = operands.takeDense(Role::update, true);
    const uint64_t headBytes = product(model.headDim, operands.elementBytes());
    const uint64_t sequences = product(tokens, model.batch);
    const uint32_t heads = operands.countOf(data, data.range.bytes(), product(sequences, headBytes),
                                            "heads of the work's tokens of all sequences");
    const uint64_t perToken = product(heads, model.batch);
    if (perToken > INT32_MAX) operands.fail(text("rotates ", perToken, " heads a token, which are too many"));
    ropes.push_back(Rope{operands.type(), operands.address(data), tokens, first, uint32_t(perToken), model.headDim,
                         model.ropeTheta});
  } while (!operands.atEnd());
  return ropes;
}

Commands activation(const Context& context) {
  OperandReader& operands = context.operands;
  Operand gate = operands.takeDense(Role::input, false);
  const uint64_t bytes = gate.range.bytes();
  const void* up = nullptr;
  if (operands.nextIs(Role::input)) up = operands.address(operands.takeDense(Role::input, false, 0, bytes));
  Operand output = operands.takeDense(Role::output, true, 0, bytes);
  operands.expectEnd();
  return {Activate{operands.type(), context.plan.model.silu, bytes / operands.elementBytes(), operands.address(gate),
                   up, operands.address(output)}};
}

// A cache's two planes, each of whole elements.
void expectPlanes(const OperandReader& operands, const Operand& cache) {
  if (cache.statedRows != 2) {
    operands.fail(text("has a cache of ", cache.statedRows, " rows, expected 2: keys and values"));
  }
  const uint64_t element = operands.elementBytes();
  if (cache.range.offset % element || cache.range.stride % element || cache.range.bytes() % (2 * element)) {
    operands.fail(text("has a cache that is not in elements of ", element, " bytes"));
  }
}

uint64_t planeBytes(const Operand& cache) { return cache.range.bytes() / 2; }

void* values(const OperandReader& operands, const Operand& cache) {
  const uint64_t distance = cache.range.rows == 2 ? cache.range.stride : planeBytes(cache);
  return static_cast<char*>(operands.address(cache)) + distance;
}

Commands attend(const Context& context) {
  OperandReader& operands = context.operands;
  const ModelNumbers& model = context.plan.model;
  Attend command{};
  command.type = operands.type();
  command.batch = model.batch;
  command.heads = model.heads;
  command.kvHeads = model.kvHeads;
  command.headDim = model.headDim;
  command.query = operands.address(operands.takeDense(Role::query, false, 0, context.headsBytes()));
  uint64_t tokens = 0;
  int caches = 0;
  uint32_t lastBuffer = 0;
  do {
    if (++caches > kMaxSegments) operands.fail(text("has more than ", kMaxSegments, " caches"));
    Operand cache = operands.take(Role::cache, false);
    expectPlanes(operands, cache);
    const uint32_t count = operands.countOf(cache, planeBytes(cache), context.tokenBytes(), "tokens");
    tokens += count;
    CacheSegment segment{operands.address(cache), values(operands, cache), count};
    CacheSegment* last = command.segments ? &command.segment[command.segments - 1] : nullptr;
    const uint64_t lastBytes = last ? last->tokens * context.tokenBytes() : 0;
    const bool continues = last && lastBuffer == cache.buffer &&
                           static_cast<const char*>(last->keys) + lastBytes == segment.keys &&
                           static_cast<const char*>(last->values) + lastBytes == segment.values;
    if (tokens > INT32_MAX) operands.fail(text("attends ", tokens, " tokens, which are too many"));
    if (continues) {
      last->tokens += count;
    } else {
      command.segment[command.segments++] = segment;
    }
    lastBuffer = cache.buffer;
  } while (operands.nextIs(Role::cache));
  command.output = operands.address(operands.takeDense(Role::output, true, 0, context.headsBytes()));
  if (operands.nextIs(Role::logSumExp)) {
    command.logSumExp = static_cast<float*>(
        operands.address(operands.takeDense(Role::logSumExp, true, sizeof(float), context.logSumExpBytes())));
  }
  operands.expectEnd();
  operands.expectExtent(context.m(), "m (sequences · query heads)", product(model.batch, model.heads));
  operands.expectExtent(context.n(), "n (head width)", model.headDim);
  operands.expectExtent(context.k(), "k (tokens)", tokens);
  return {command};
}

Commands merge(const Context& context) {
  OperandReader& operands = context.operands;
  const ModelNumbers& model = context.plan.model;
  Operand other = operands.takeDense(Role::input, false, 0, context.headsBytes());
  Operand othersSum = operands.takeDense(Role::logSumExp, false, sizeof(float), context.logSumExpBytes());
  Operand ownSum = operands.takeDense(Role::logSumExp, false, sizeof(float), context.logSumExpBytes());
  Operand own = operands.takeDense(Role::update, true, 0, context.headsBytes());
  operands.expectEnd();
  return {Merge{operands.type(), model.batch * model.heads, model.headDim, operands.address(other),
                static_cast<const float*>(operands.address(othersSum)),
                static_cast<const float*>(operands.address(ownSum)), operands.address(own)}};
}

Commands append(const Context& context) {
  OperandReader& operands = context.operands;
  Operand keys = operands.takeDense(Role::input, false);
  const uint64_t bytes = keys.range.bytes();
  Operand newValues = operands.takeDense(Role::input, false, 0, bytes);
  Append command{};
  command.bytes = bytes;
  command.keys = operands.address(keys);
  command.values = operands.address(newValues);
  do {
    if (command.targets == kMaxAppendTargets) operands.fail(text("has more than ", kMaxAppendTargets, " caches"));
    Operand cache = operands.take(Role::cache, true);
    expectPlanes(operands, cache);
    operands.expectBytes(cache, 2 * bytes);
    command.target[command.targets++] = {operands.address(cache), values(operands, cache)};
  } while (!operands.atEnd());
  return {command};
}

Commands embed(const Context& context) {
  OperandReader& operands = context.operands;
  const ModelNumbers& model = context.plan.model;
  Operand table = operands.takeDense(Role::weight, false);
  const bool learned = operands.nextIs(Role::bias);
  Operand positions = learned ? operands.takeDense(Role::bias, false) : table;
  Operand output = operands.takeDense(Role::output, true);
  operands.expectEnd();
  const uint64_t element = operands.elementBytes();
  const uint32_t width =
      operands.countOf(output, output.range.bytes(), product(model.batch, element), "elements of every sequence");
  const uint64_t rowBytes = product(width, element);
  const uint32_t rows = learned ? operands.countOf(positions, positions.range.bytes(), rowBytes, "rows") : 0;
  return {Embed{operands.type(), operands.address(table),
                operands.countOf(table, table.range.bytes(), rowBytes, "rows"),
                learned ? operands.address(positions) : nullptr, rows, context.plan.token[context.operation],
                context.plan.microBatch[context.operation], model.batch, width, operands.address(output)}};
}

}  // namespace

std::vector<Command> commandsOf(const Plan& plan, uint32_t operation, std::span<const uintptr_t> memory) {
  OperandReader operands(plan, operation, memory);
  Context context{plan, operation, operands};
  switch (Kind(plan.works.kind[plan.work[operation]])) {
    case Kind::copyH2d:
    case Kind::copyD2h:
      return copy(context);
    case Kind::gemm:
      return gemm(context);
    case Kind::norm:
      return norm(context);
    case Kind::rope:
      return rope(context);
    case Kind::activation:
      return activation(context);
    case Kind::attend:
    case Kind::hostAttend:
      return attend(context);
    case Kind::merge:
      return merge(context);
    case Kind::append:
      return append(context);
    case Kind::embed:
      return embed(context);
    case Kind::stepEnd:
      operands.expectEnd();
      return {};
  }
  operands.fail("is of an unknown kind");
}

namespace {

struct Enqueuer {
  Device& device;
  Stream stream;
  void operator()(const Copy& command) const { device.copy(stream, command); }
  void operator()(const Embed& command) const { device.embed(stream, command); }
  void operator()(const Norm& command) const { device.norm(stream, command); }
  void operator()(const Rope& command) const { device.rope(stream, command); }
  void operator()(const Activate& command) const { device.activate(stream, command); }
  void operator()(const Gemm& command) const { device.gemm(stream, command); }
  void operator()(const Attend& command) const { device.attend(stream, command); }
  void operator()(const Merge& command) const { device.merge(stream, command); }
  void operator()(const Append& command) const { device.append(stream, command); }
};

}  // namespace

void enqueue(Device& device, Stream stream, const Command& command) { std::visit(Enqueuer{device, stream}, command); }

}  // namespace splitpoint
