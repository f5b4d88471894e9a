"""How a report looks: light, dark and on paper. The colours are Okabe and Ito's, which the colour-blind tell apart."""

# What pictures need too that stand alone (``toolkit show --svg``).
COLOURS = """
:root { color-scheme: light dark; --paper: #ffffff; --card: #f5f6f8; --ink: #1d2126; --faint: #5b6470; --rule: #d3d8de;
  --c0: #0072b2; --c1: #c04f00; --c2: #00795a; --c3: #a8508a; --good: #00664c; --bad: #b03a00; --open: #7a5a00; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --card: #1e2329; --ink: #e8ebef; --faint: #a3adb8;
  --rule: #3a424c; --c0: #56b4e9; --c1: #ff9a4d; --c2: #3dcca6; --c3: #e6a3cd; --good: #4ddbb5; --bad: #ff9a66;
  --open: #f0d264; } }
@media print { :root { color-scheme: light; --paper: #ffffff; --card: #ffffff; --ink: #000000; --faint: #444444;
  --rule: #bbbbbb; --c0: #0072b2; --c1: #c04f00; --c2: #00795a; --c3: #a8508a; --good: #00664c; --bad: #b03a00;
  --open: #7a5a00; } }
svg { font: 12px system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
svg text { fill: var(--ink); }
svg .tick, svg .faint { fill: var(--faint); }
svg .tick { font-size: 11px; }
svg .label { font-size: 12px; }
svg .name { font-weight: 600; }
svg .grid { stroke: var(--rule); stroke-width: 1; }
svg .axis { stroke: var(--faint); stroke-width: 1; }
svg .limit { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 5 3; }
svg .even { stroke: var(--faint); stroke-width: 1; stroke-dasharray: 2 3; fill: none; }
svg .ink { stroke: var(--ink); stroke-width: 1.75; fill: none; }
svg .solid { fill: var(--ink); }
svg .box { fill: var(--card); stroke: var(--faint); stroke-width: 1; }
svg .edge { stroke: var(--faint); stroke-width: 1.25; fill: none; }
svg .area0 { fill: var(--c0); } svg .area1 { fill: var(--c1); }
svg .area2 { fill: var(--c2); } svg .area3 { fill: var(--c3); }
svg .line0, svg .hollow0 { stroke: var(--c0); } svg .line1, svg .hollow1 { stroke: var(--c1); stroke-dasharray: 7 3; }
svg .line2, svg .hollow2 { stroke: var(--c2); } svg .line3, svg .hollow3 { stroke: var(--c3); }
svg .line0, svg .line1, svg .line2, svg .line3 { fill: none; stroke-width: 1.75; }
svg .hollow0, svg .hollow1, svg .hollow2, svg .hollow3 { fill: var(--paper); stroke-width: 1.75;
  stroke-dasharray: none; }
""".strip()

PAGE = """
* { box-sizing: border-box; }
body { font: 16px/1.55 system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; color: var(--ink);
  background: var(--paper); max-width: 66rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0.5rem 0; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 0.5rem; padding-top: 0.75rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1rem; margin: 1.25rem 0 0.25rem; } figure h3 { margin-top: 0; font-weight: 400; }
p { margin: 0.5rem 0; max-width: 46rem; }
.faint, figcaption, .again { color: var(--faint); font-size: 0.875rem; }
.lead { font-size: 1.125rem; }
code { font: 0.875em ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
nav { columns: 3 12rem; font-size: 0.875rem; margin: 1rem 0; }
nav a { display: block; }
a { color: var(--c0); }
.wide { overflow-x: auto; margin: 0.75rem 0; }
table { border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.7rem 0.3rem 0; text-align: left; vertical-align: middle;
  border-bottom: 1px solid var(--rule); }
th { color: var(--faint); font-weight: 600; vertical-align: bottom; }
.figure { text-align: right; white-space: nowrap; }
td code { white-space: nowrap; } td .faint { font-size: inherit; }
tfoot td { border-bottom: 0; color: var(--faint); }
tbody svg, tfoot svg { display: block; }
dl { display: grid; grid-template-columns: minmax(7rem, 12rem) 1fr; gap: 0.15rem 1rem; margin: 0.75rem 0;
  font-size: 0.9375rem; }
dt { color: var(--faint); } dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.verdict { font-weight: 600; white-space: nowrap; }
.verdict.pass { color: var(--good); } .verdict.fail { color: var(--bad); } .verdict.inconclusive { color: var(--open); }
.absent { color: var(--faint); border-left: 3px solid var(--rule); padding-left: 0.75rem; }
.pair { display: flex; flex-wrap: wrap; gap: 1rem 2rem; align-items: flex-start; }
figure { margin: 0.5rem 0; min-width: 0; } figure svg.chart, figure img { max-width: 100%; height: auto; }
figure.chart { flex: 1 1 22rem; max-width: 30rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: 1rem;
  font-size: 0.8125rem; }
.tiles figure { margin: 0; } .tiles img { width: 84px; height: 84px; object-fit: contain; image-rendering: pixelated;
  background: #000; }
.tiles figcaption { font-size: 0.8125rem; line-height: 1.35; }
.matrix td, .matrix th { padding: 0.2rem 0.35rem; border: 1px solid var(--rule); text-align: center;
  min-width: 2.1rem; }
.matrix td.right { background: var(--card); } .matrix td.wrong { outline: 1px solid var(--c1); outline-offset: -2px; }
.matrix td.changed { font-weight: 700; background: color-mix(in srgb, var(--c1) 22%, var(--paper)); }
.again { margin-top: 0.75rem; }
.again ul { margin: 0.25rem 0; padding-left: 1.25rem; }
footer { margin-top: 3rem; color: var(--faint); font-size: 0.8125rem; border-top: 1px solid var(--rule);
  padding-top: 0.75rem; }
@media (max-width: 40rem) { body { font-size: 15px; padding: 1rem 0.75rem 3rem; } dl { grid-template-columns: 1fr; }
  dt { margin-top: 0.4rem; } figure { overflow-x: auto; } figure svg.chart { max-width: none; } }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } nav { display: none; }
  .wide { overflow: visible; break-inside: avoid; }
  p { break-inside: avoid; } h2, h3, .lead, h2 + p { break-after: avoid; } .pair { display: block; }
  .matrix td, .matrix th { min-width: 0; padding: 0.1rem 0.2rem; font-size: 7pt; }
  .pair > figure { display: inline-block; width: 49%; vertical-align: top; }
  tr, figure, svg, dl { break-inside: avoid; } table { font-size: 8pt; }
  th, td { padding-right: 0.4rem; } a { color: inherit; text-decoration: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } @page { size: A4; margin: 14mm; } }
""".strip()
