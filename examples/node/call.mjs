// SPDX-License-Identifier: MPL-2.0
// One call from Node: zeromq and @msgpack/msgpack, no Kiln library.
//
//     npm install && node call.mjs ipc:///run/kiln/kiln.sock
import { decode, encode } from "@msgpack/msgpack";
import { Dealer } from "zeromq";

const socket = new Dealer({ receiveTimeout: 35000, linger: 0 });
socket.connect(process.argv[2]);
await socket.send([encode({ op: "call", fn: "stats.describe" }),
                   encode({ x: [103.1, 101.4, 104.9, 102.385, 107.7] })]);
const [header, result] = (await socket.receive()).map((frame) => decode(frame));
if (header.status !== "ok") {
  throw new Error(`${header.status}: ${header.error}`);
}
console.log(`mean ${result.mean.toFixed(6)} std ${result.std.toFixed(6)} in ${header.timing.total_us} us`);
socket.close();
