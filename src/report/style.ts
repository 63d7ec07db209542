import { lookColors, lookDashes } from '../protocol/methodLooks';

const variables = (scheme: 'light' | 'dark'): string =>
  lookColors.map((color, index) => `--color-${index}:${color[scheme]}`).join(';');

const looks = [
  ...lookColors.map((_, index) => `.color-${index}{--look:var(--color-${index})}`),
  ...lookDashes.map((dash, index) => `.dash-${index}{--dash:${dash.join(' ') || 'none'}}`),
].join('\n');

const light = `--text:#1c2024;--quiet:#5a626b;--page:#fff;--card:#f5f6f8;--line:#d5d9de;--good:#0a7d55;--bad:#b3261e;${variables('light')}`;
const dark = `--text:#e6e8ea;--quiet:#a0a8b1;--page:#16181b;--card:#1f2226;--line:#3a4047;--good:#4fd6a0;--bad:#ff8a80;${variables('dark')}`;

/** The style of the page: nothing remote, light and dark, and plain on paper. */
export const style = `
:root{color-scheme:light dark;${light}}
@media (prefers-color-scheme:dark){:root{${dark}}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2rem 1.25rem 4rem;max-width:66rem;background:var(--page);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
h1{font-size:1.7rem;line-height:1.25;margin:0 0 .25rem}
h2{font-size:1.2rem;margin:2.5rem 0 .75rem}
p{margin:.5rem 0;max-width:46rem}
a{color:var(--color-0)}
.quiet,figcaption,caption{color:var(--quiet)}
.verdict{margin:1.25rem 0;padding:1rem 1.25rem;background:var(--card);border-left:4px solid var(--color-0);border-radius:4px;font-size:1.1rem;max-width:none}
.warning{border-left-color:var(--bad)}
figure{margin:1rem 0 0}
figcaption{font-size:.9rem}
.chart{display:block;width:100%;min-width:40rem;height:auto;font-size:12.5px;fill:var(--text)}
.grid{stroke:var(--line);stroke-width:1;opacity:.55;fill:none}
.axis{stroke:var(--quiet);stroke-width:1;fill:none}
.tick,.label{fill:var(--quiet)}
.curve path{fill:none;stroke:var(--look);stroke-width:2;stroke-dasharray:var(--dash);stroke-linejoin:round}
.curve circle{fill:var(--look);stroke:none;opacity:0}
.curve circle:hover{opacity:1}
.range{fill:var(--look);opacity:.14;stroke:none}
.level{fill:none;stroke:var(--look);stroke-width:2;stroke-dasharray:var(--dash);stroke-linecap:round}
.level-small{--look:var(--text);--dash:.5 4.5}
.level-scratch{--look:var(--quiet);--dash:14 5}
.end text{fill:var(--text)}
.leader{fill:none;stroke:var(--look);stroke-width:1;opacity:.45}
.sample{fill:none;stroke:var(--look);stroke-width:2.5;stroke-dasharray:var(--dash)}
.level-small .sample{stroke-linecap:round}
.look-scratch{--look:var(--quiet);--dash:none}
${looks}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.93rem}
caption{text-align:left;padding:0 0 .5rem;font-size:.9rem}
th,td{padding:.45rem .5rem;text-align:right;vertical-align:top;border-bottom:1px solid var(--line)}
thead th{color:var(--quiet);font-weight:600;vertical-align:bottom}
th:first-child,td:first-child{text-align:left;padding-left:0}
tbody th{font-weight:600;text-align:left}
td{white-space:nowrap}
small{display:block;color:var(--quiet);font-size:.8rem;font-weight:400}
.method{display:flex;gap:.6rem;min-width:11rem}
.swatch{flex:none;width:28px;height:10px;margin-top:.5rem;overflow:visible}
.never{text-align:left;white-space:normal;color:var(--quiet)}
.failed{text-align:left;white-space:normal;color:var(--bad)}
.best{color:var(--good);font-weight:600}
dl{display:grid;grid-template-columns:minmax(9rem,max-content) 1fr;gap:.35rem 1.25rem;margin:0}
dt{color:var(--quiet)}
dd{margin:0;overflow-wrap:anywhere}
pre{background:var(--card);padding:.9rem 1rem;border-radius:4px;white-space:pre-wrap;overflow-wrap:anywhere;font:.87rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
details{margin:.75rem 0}
summary{cursor:pointer;color:var(--quiet)}
summary:focus-visible,a:focus-visible,.wide:focus-visible{outline:2px solid var(--color-0);outline-offset:2px}
@media print{:root{color-scheme:light;${light}}body{max-width:none;padding:0;font-size:11pt}h2{break-after:avoid}figure,tr,.verdict{break-inside:avoid}.wide{overflow:visible}.chart{min-width:0}}
@media (max-width:34rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}}
`;
