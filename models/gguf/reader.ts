/**
 * Reads the header of a GGUF (versions 2 and 3, little endian) with bounded memory and time, whatever the file claims.
 * Says what is written there; whether a model can be served from it is the validator's question.
 * Runs in the server process and in commands. Never imports node-llama-cpp: it exists to look before native code does.
 */
import { Failure } from "../../server/domain/failure.ts";
import {
  type GgufHeader,
  ggufMagic,
  type HeaderValue,
  type ScalarTypeName,
  type ScalarValue,
  type TensorEntry,
  type ValueTypeName,
  valueTypeName,
  valueTypes,
} from "./format.ts";
import { type OpenModelFile, withModelFile } from "./open.ts";
import { localBytes, type RandomBytes } from "./random-bytes.ts";
import { ByteSource } from "./source.ts";

/**
 * Bounds. The largest real headers have about a thousand tensors, a hundred keys and 20 MiB. The engine compares every
 * name with every earlier one, so the counts bound its time too.
 */
export const headerLimits = Object.freeze({
  headerBytes: 128 * 1024 * 1024,
  metadataCount: 16_384,
  tensorCount: 32_768,
  /** The engine's own bound is 63 characters and a final zero. */
  tensorNameBytes: 63,
  keyBytes: 1024,
  /** Longer strings are passed over: only their length is kept. */
  keptStringBytes: 512 * 1024,
  arrayLength: 16_777_216,
  /** Four times the largest vocabulary there is; each of its texts is compared with all others. */
  vocabularyLength: 1_048_576,
  /** Longer lists of numbers are passed over. Enough for one number per layer. */
  keptNumbers: 1024,
  dimensions: 4,
});

/** Anything wrong ends with this: one plain reason, said about the file by its caller. */
function wrong(reason: string): Failure {
  return new Failure("invalid_request", reason);
}

/** Text of the file shown to a person: short, one line, nothing that could move a terminal's cursor. */
export function shown(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]/g, "?");
  return `"${plain.length > 60 ? `${plain.slice(0, 57)}...` : plain}"`;
}

function boundedCount(value: bigint, limit: number, what: string): number {
  if (value > BigInt(limit)) throw wrong(`it claims ${value} ${what}; at most ${limit} are accepted`);
  return Number(value);
}

async function readUint32(source: ByteSource, what: string): Promise<number> {
  await source.fill(4, what);
  return source.takeUint32();
}

async function readUint64(source: ByteSource, what: string): Promise<bigint> {
  await source.fill(8, what);
  return source.takeUint64();
}

/** A length of bytes still to come: never beyond the end of the file. */
async function readLength(source: ByteSource, what: string): Promise<number> {
  const length = await readUint64(source, what);
  if (length > BigInt(source.remainingBytes)) {
    throw wrong(`${what} claims to be ${length} bytes long, more than is left in the file`);
  }
  return Number(length);
}

async function readName(source: ByteSource, limitBytes: number, what: string): Promise<string> {
  const length = await readLength(source, what);
  if (length === 0) throw wrong(`${what} is empty`);
  if (length > limitBytes) throw wrong(`${what} is ${length} bytes long; at most ${limitBytes} are accepted`);
  await source.fill(length, what);
  return source.take(length).toString("utf8");
}

async function readScalar(source: ByteSource, type: ScalarTypeName, what: string): Promise<ScalarValue> {
  const size = valueTypes[type].bytes;
  await source.fill(size, what);
  const bytes = source.take(size);
  switch (type) {
    case "uint8":
      return bytes.readUInt8();
    case "int8":
      return bytes.readInt8();
    case "uint16":
      return bytes.readUInt16LE();
    case "int16":
      return bytes.readInt16LE();
    case "uint32":
      return bytes.readUInt32LE();
    case "int32":
      return bytes.readInt32LE();
    case "float32":
      return bytes.readFloatLE();
    case "float64":
      return bytes.readDoubleLE();
    case "uint64":
      return bytes.readBigUInt64LE();
    case "int64":
      return bytes.readBigInt64LE();
    case "bool": {
      const byte = bytes.readUInt8();
      if (byte > 1) throw wrong(`${what} is a yes-or-no value but holds ${byte}`);
      return byte === 1;
    }
  }
}

async function readString(source: ByteSource, what: string): Promise<HeaderValue> {
  const length = await readLength(source, what);
  if (length > headerLimits.keptStringBytes) {
    source.skip(length, what);
    return { type: "string", value: null, bytes: length };
  }
  await source.fill(length, what);
  return { type: "string", value: source.take(length).toString("utf8"), bytes: length };
}

async function passOverStrings(source: ByteSource, count: number, what: string): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const length = await readEntryLength(source, what);
    source.skip(length, what);
  }
}

async function readEntryLength(source: ByteSource, what: string): Promise<number> {
  // Awaited only at the end of a piece: a vocabulary has hundreds of thousands of strings.
  if (!source.has(8)) await source.fill(8, what);
  const length = source.takeUint64();
  if (length > BigInt(source.remainingBytes)) {
    throw wrong(`an entry of ${what} claims to be ${length} bytes long, more than is left in the file`);
  }
  return Number(length);
}

/** No token of a real vocabulary is longer, by far. */
const longestToken = 64 * 1024;

/**
 * The first text that is there twice, or null. Texts end at a zero byte, because the engine reads them so; it gives those
 * that are empty then a name of their own.
 */
async function findRepeat(source: ByteSource, count: number, what: string): Promise<number | null> {
  const seen = new Set<string>();
  let firstRepeat: number | null = null;
  for (let index = 0; index < count; index += 1) {
    const length = await readEntryLength(source, what);
    if (length > longestToken)
      throw wrong(`an entry of ${what} is ${length} bytes long; at most ${longestToken} are accepted`);
    if (!source.has(length)) await source.fill(length, what);
    const whole = source.take(length).toString("latin1");
    const end = whole.indexOf("\0");
    const text = end === -1 ? whole : whole.slice(0, end);
    if (text === "") continue;
    if (seen.has(text)) firstRepeat ??= index;
    seen.add(text);
  }
  return firstRepeat;
}

async function readValueType(source: ByteSource, what: string): Promise<ValueTypeName> {
  const id = await readUint32(source, what);
  const type = valueTypeName(id);
  if (type === null) throw wrong(`${what} has the unknown value type ${id}`);
  return type;
}

const vocabularyKey = "tokenizer.ggml.tokens";

async function readArray(source: ByteSource, key: string, what: string): Promise<HeaderValue> {
  const elementType = await readValueType(source, what);
  if (elementType === "array") throw wrong(`${what} is a list of lists, which the engine does not read`);
  const claimed = await readUint64(source, what);
  const most = key === vocabularyKey ? headerLimits.vocabularyLength : headerLimits.arrayLength;
  const length = boundedCount(claimed, most, `entries in ${what}`);
  const elementBytes = elementType === "string" ? 8 : valueTypes[elementType].bytes;
  source.demand(length * elementBytes, what);
  if (elementType === "string") {
    if (key === vocabularyKey) {
      const firstRepeat = await findRepeat(source, length, what);
      return { type: "array", elementType, length, values: null, firstRepeat };
    }
    await passOverStrings(source, length, what);
    return { type: "array", elementType, length, values: null };
  }
  if (length > headerLimits.keptNumbers) {
    source.skip(length * elementBytes, what);
    return { type: "array", elementType, length, values: null };
  }
  const values: ScalarValue[] = [];
  while (values.length < length) values.push(await readScalar(source, elementType, what));
  return { type: "array", elementType, length, values };
}

async function readValue(source: ByteSource, key: string, what: string): Promise<HeaderValue> {
  const type = await readValueType(source, what);
  if (type === "string") return readString(source, what);
  if (type === "array") return readArray(source, key, what);
  return { type, value: await readScalar(source, type, what) };
}

async function readMetadata(source: ByteSource, count: number): Promise<Map<string, HeaderValue>> {
  const metadata = new Map<string, HeaderValue>();
  for (let index = 0; index < count; index += 1) {
    const key = await readName(source, headerLimits.keyBytes, `the name of key ${index + 1}`);
    if (metadata.has(key)) throw wrong(`the key ${shown(key)} is there twice`);
    metadata.set(key, await readValue(source, key, `the key ${shown(key)}`));
  }
  return metadata;
}

async function readTensors(source: ByteSource, count: number): Promise<TensorEntry[]> {
  const tensors: TensorEntry[] = [];
  const names = new Set<string>();
  for (let index = 0; index < count; index += 1) {
    const name = await readName(source, headerLimits.tensorNameBytes, `the name of tensor ${index + 1}`);
    if (names.has(name)) throw wrong(`the tensor ${shown(name)} is there twice`);
    names.add(name);
    const what = `the description of tensor ${shown(name)}`;
    const dimensionCount = await readUint32(source, what);
    if (dimensionCount < 1 || dimensionCount > headerLimits.dimensions) {
      throw wrong(
        `the tensor ${shown(name)} has ${dimensionCount} dimensions; 1 to ${headerLimits.dimensions} are possible`,
      );
    }
    const dimensions: bigint[] = [];
    for (let axis = 0; axis < dimensionCount; axis += 1) dimensions.push(await readUint64(source, what));
    const typeId = await readUint32(source, what);
    tensors.push({ name, dimensions, typeId, offset: await readUint64(source, what) });
  }
  return tensors;
}

async function readVersion(source: ByteSource): Promise<number> {
  await source.fill(4, "the first four bytes");
  const magic = source.take(4).toString("latin1");
  if (magic !== ggufMagic) throw wrong(`it is not a GGUF file: it begins with ${shown(magic)}`);
  const version = await readUint32(source, "the version");
  if (version !== 0 && (version & 0xffff) === 0) throw wrong("it is written for big-endian machines");
  if (version !== 2 && version !== 3) throw wrong(`it is GGUF version ${version}; versions 2 and 3 can be read`);
  return version;
}

/** The header of a file, wherever it lies. Throws Failure `invalid_request` with one plain reason that does not name it. */
export async function readHeaderFrom(bytes: RandomBytes): Promise<GgufHeader> {
  const source = new ByteSource(bytes, headerLimits.headerBytes);
  const version = await readVersion(source);
  const tensorCount = boundedCount(await readUint64(source, "the counts"), headerLimits.tensorCount, "tensors");
  const metadataCount = boundedCount(
    await readUint64(source, "the counts"),
    headerLimits.metadataCount,
    "metadata keys",
  );
  const metadata = await readMetadata(source, metadataCount);
  const tensors = await readTensors(source, tensorCount);
  return { version, metadata, tensors, headerBytes: source.position, fileBytes: bytes.totalBytes };
}

/** The header of an open file. Throws as above. */
export async function readOpenGgufHeader(file: OpenModelFile): Promise<GgufHeader> {
  return readHeaderFrom(localBytes(file.handle, file.sizeBytes));
}

/** The header of the file at `path`. Throws as above, and for a path that is no regular, readable file. */
export async function readGgufHeader(path: string): Promise<GgufHeader> {
  return withModelFile(path, readOpenGgufHeader);
}
