// Runs the tests of a module that was bound for the web, in Node and in a page alike.
import * as bindings from "./bindings.mjs";

const CONSOLE_METHODS = ["debug", "log", "info", "warn", "error"];

/** Runs the tests whose names contain one of the filters; tells whether all passed. */
export async function runTests(module, filters, print) {
  // What the test runtime calls: the first runs one step of a test, the second prints a line in Node.
  globalThis.__wbg_test_invoke = (step) => step();
  globalThis.__wbgtest_og_console_log = print;
  const exports = await bindings.default({ module_or_path: module });
  const context = new bindings.WasmBindgenTestContext(false);
  // What a test writes to the console is shown when it fails.
  for (const method of CONSOLE_METHODS) {
    console[method] = (...parts) => bindings[`__wbgtest_console_${method}`](parts);
  }
  const tests = Object.keys(exports).filter((name) => name.startsWith("__wbgt_"));
  const selected = tests.filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)));
  context.filtered_count(tests.length - selected.length);
  return context.run(selected.map((name) => exports[name]));
}
