/**
 * The data of the page, and elements made from it.
 *
 * The element #data holds the values of all tables as JSON; report/charts.py describes the fields. All texts are
 * written as text, never as HTML. report/html.py joins the files of this folder to one script, in its own scope.
 *
 * @typedef {{cell: string, seed: string, state: string, score: ?number, trouble: string, line: string, steps: number,
 *   times: number}} Run  with the evaluations in its fields `value` and `value_2`
 * @typedef {{name: string, at: number[], runs: Run[], sample: ?string, table: Object}} Configuration
 */

const data = JSON.parse(document.getElementById("data").textContent);

/** Configurations by the short hash of each of their cells. @type {Map<string, Configuration>} */
const byCell = new Map();
for (const table of data.tables) {
  for (const configuration of table.configurations) {
    configuration.table = table;
    for (const run of configuration.runs) byCell.set(run.cell, configuration);
  }
}

/** Return a new element; `on...` attributes are listeners, null children are left out. */
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name in made && typeof value === "boolean") made[name] = value;
    else if (value !== null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Return a number as text; values that are missing are N/A. */
const format = (value) => (value === null || value === undefined ? "N/A" : String(Number(value.toPrecision(5))));

/** A number with this many significant digits, zeros included; digits before the point are never rounded. */
function significant(value, digits) {
  const size = Math.abs(value);
  if (size && (size < 1e-4 || size >= 1e15)) return value.toExponential(digits - 1);
  const exponent = size ? Number(value.toExponential(digits - 1).split("e")[1]) : 0;
  return value.toFixed(Math.max(digits - 1 - exponent, 0));
}

/** Copy a text, and show the result on the button. */
async function copy(text, button) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make("textarea", { class: "offscreen", readonly: true });
    area.value = text;
    (button?.closest("dialog") ?? document.body).append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
  }
  if (button) {
    const words = button.dataset.words ?? (button.dataset.words = button.textContent);
    button.textContent = done ? "Copied" : "Select the line and copy it";
    setTimeout(() => (button.textContent = words), 1500);
  }
}

/** Return the command line of a run, or of all runs of a configuration. */
function command(configuration, run) {
  const { table, runs } = configuration;
  if (run || runs.length === 1) return [table.command, (run ?? runs[0]).line].filter(Boolean).join(" ");
  const parts = runs.map((one) => one.line.split(" "));
  const joined = parts[0].map((part, n) => {
    const key = part.slice(0, part.indexOf("=") + 1);
    const values = new Set(parts.map((others) => (others[n] ?? "").slice(key.length)));
    return key + [...values].join(",");
  });
  return [table.command.replace(/gansweep(?= |$)/, "gansweep -m"), ...joined].join(" ");
}

/** A command line with a button that copies it. */
function commandLine(text) {
  const button = make("button", { type: "button", onclick: () => copy(text, button) }, "Copy command");
  return make("div", { class: "command" }, make("code", {}, text), button);
}
