// node node.mjs DIRECTORY [FILTER…]: runs a module's tests in Node.
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [directory, ...filters] = process.argv.slice(2);
const print = console.log.bind(console);
const { runTests } = await import(pathToFileURL(resolve(directory, "tests.mjs")));
const passed = await runTests(await readFile(join(directory, "module.wasm")), filters, print);
process.exitCode = passed ? 0 : 1;
