// Sparklines with their band, drawn by uPlot (vendored) only while they are in sight.

const charts = new Map(); // element -> {data, plot}
const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function options(element) {
  const quiet = { show: false };
  const beyond = (plot, at) => {
    const [, seen, , low, high] = plot.data.map((column) => column[at]);
    return seen != null && high != null && (seen > high || seen < low);
  };
  const invisible = { stroke: "transparent", width: 0, points: quiet };
  return {
    width: Math.max(element.clientWidth, 80), height: 64, padding: [5, 4, 4, 4],
    legend: quiet, cursor: quiet, axes: [quiet, quiet], select: quiet,
    scales: { x: { time: true }, y: { range: (_, low, high) => [Math.min(0, low), Math.max(high, 1) * 1.04] } },
    bands: [{ series: [4, 3], fill: ink("--band") }],
    series: [
      {},
      {
        stroke: ink("--line"), width: 1.6,
        points: {
          show: true, size: 6, width: 0, fill: ink("--critical"),
          filter: (plot) => plot.data[0].map((_, at) => at).filter((at) => beyond(plot, at)),
        },
      },
      { stroke: ink("--dash"), width: 1.3, dash: [4, 3], points: quiet },
      invisible,
      invisible,
    ],
  };
}

function paint(element) {
  const chart = charts.get(element);
  if (!chart.data.length || !chart.seen) return;
  if (chart.plot) chart.plot.setData(chart.data);
  else chart.plot = new uPlot(options(element), chart.data, element);
}

const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const chart = charts.get(target);
    if (!chart) continue;
    chart.seen = isIntersecting;
    if (isIntersecting) paint(target);
  }
}, { rootMargin: "200px" });

const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const plot = charts.get(target)?.plot;
    if (plot && target.clientWidth && target.clientWidth !== plot.width) plot.setSize({ width: target.clientWidth, height: 64 });
  }
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const [element, chart] of charts) {
    chart.plot?.destroy();
    chart.plot = null;
    paint(element);
  }
});

/** Draw `columns` (time, observed, expected, lower, upper) in `element`, now or when it comes into sight. */
export function draw(element, columns) {
  if (!charts.has(element)) {
    charts.set(element, { data: columns, plot: null, seen: false });
    sight.observe(element);
    resized.observe(element);
  }
  charts.get(element).data = columns;
  paint(element);
}

export function erase(element) {
  charts.get(element)?.plot?.destroy();
  charts.delete(element);
  sight.unobserve(element);
  resized.unobserve(element);
}
