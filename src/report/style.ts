/**
 * The style of a report. Normals are blue, anomalies orange, the threshold and what is decided by it the colour of text:
 * pairs that colour-blind people tell apart, and never the only sign. Text has a contrast of at least 4.5 in both schemes.
 */
export const style = `
:root{color-scheme:light dark;--page:#fff;--panel:#f5f6f8;--line:#d9dce2;--text:#1c2026;--soft:#555c68;--link:#0b57a4;
--held:#7a8fa8;--normal:#2b6cb0;--anomalous:#c2570c;--mark:#1c2026;
--good:#e6f2ea;--good-line:#2f855a;--unclear:#fbf3dc;--unclear-line:#a87b0a;--bad:#fdeae6;--bad-line:#c0392b}
@media (prefers-color-scheme:dark){:root{--page:#14171c;--panel:#1d2128;--line:#363c47;--text:#e8eaee;--soft:#a9b0bc;--link:#8cc0ff;
--held:#8fa3ba;--normal:#6cb0f5;--anomalous:#f59a4a;--mark:#f4f5f7;
--good:#16291f;--good-line:#58b987;--unclear:#2c2510;--unclear-line:#d9a92f;--bad:#331a16;--bad-line:#ee7b6b}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem}
body{margin:0;background:var(--page);color:var(--text);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
header,main,footer{max-width:76rem;margin:0 auto;padding:0 1rem}
@media (min-width:48rem){header,main,footer{padding:0 2rem}}
a{color:var(--link)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:3px}
main:focus{outline:none}
.skip{position:absolute;left:1rem;top:-4rem;background:var(--page);padding:.5rem 1rem;border:1px solid var(--line);border-radius:.4rem;z-index:1}
.skip:focus{top:1rem}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
header{padding-top:1.75rem}
.brand{margin:0;color:var(--soft);font-size:.85rem;overflow-wrap:anywhere}
h1{font-size:clamp(1.5rem,1.1rem + 1.8vw,2.25rem);line-height:1.15;margin:.2rem 0 .35rem;letter-spacing:-.015em;overflow-wrap:anywhere}
h1 span{font-weight:400;color:var(--soft)}
h2{font-size:1.35rem;line-height:1.25;margin:0 0 .75rem;letter-spacing:-.01em}
h3{font-size:1rem;margin:0 0 .15rem}
p{margin:0 0 .75rem;max-width:72ch}
.lead{font-size:1.05rem;margin-bottom:.9rem}
.note,.items{color:var(--soft);font-size:.875rem}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;list-style:none;margin:0;padding:.55rem 0;border-block:1px solid var(--line);font-size:.9rem}
nav a{text-decoration:none;display:inline-block;padding:.15rem 0}
nav a:hover{text-decoration:underline}
main>section{padding:1.5rem 0;border-bottom:1px solid var(--line)}
.verdict,.banner{border-left:5px solid var(--unclear-line);background:var(--unclear);border-radius:.35rem;padding:.6rem .9rem;max-width:none}
.verdict{font-size:1.05rem}
.verdict.good{border-color:var(--good-line);background:var(--good)}
.verdict.bad,.banner{border-color:var(--bad-line);background:var(--bad)}
.banner.mild{border-color:var(--unclear-line);background:var(--unclear)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:.75rem;margin:0 0 .9rem}
.tiles>div{background:var(--panel);border-radius:.5rem;padding:.7rem .9rem}
.tiles dt{color:var(--soft);font-size:.85rem}
.tiles dd{margin:0;line-height:1.2}
.tiles span{display:block;font-size:1.9rem;font-weight:650;font-variant-numeric:tabular-nums;letter-spacing:-.02em}
.tiles small{color:var(--soft)}
small{font-size:.8rem}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1.25rem 2.5rem;align-items:start}
.scroll{overflow-x:auto;margin:0 0 1.25rem}
table{border-collapse:collapse;width:100%;font-size:.92rem}
caption{position:sticky;left:0;max-width:calc(100vw - 2.5rem);text-align:left;color:var(--soft);font-size:.875rem;padding-bottom:.4rem}
th,td{padding:.4rem .75rem .4rem 0;text-align:left;border-bottom:1px solid var(--line);vertical-align:baseline;font-weight:400}
th:last-child,td:last-child{padding-right:0}
thead th{color:var(--soft);font-size:.82rem;vertical-align:bottom}
thead :is(th,td){border-bottom-color:var(--soft)}
tbody th{font-weight:550;min-width:8rem}
tbody em{color:var(--soft);font-style:normal;font-weight:400}
.others{max-width:60rem}
.rows td{vertical-align:top}
.rows td:last-child{min-width:13rem}
.reason{display:block;overflow-wrap:anywhere}
.reason small{display:inline}
tbody small{display:block;color:var(--soft);font-weight:400;line-height:1.3}
.n{font-variant-numeric:tabular-nums}
th.n,td.n{text-align:right;white-space:nowrap}
tr.chosen{background:var(--panel)}
.matrix td{font-size:1.15rem;width:33%}
.matrix .bad{color:var(--bad-line)}
.types .wide{width:28%;min-width:5rem}
@media (max-width:40rem){.types .wide{display:none}.types th[scope=row]{min-width:4.5rem}th,td{padding-right:.5rem}table{font-size:.85rem}tbody th{min-width:7rem}}
.bar{display:block;width:100%;height:.5rem}
.bar rect{fill:var(--anomalous)}
.bar.normal rect{fill:var(--normal)}
.bar .track{fill:var(--panel)!important}
figure{margin:0}
.chart{max-width:34rem;margin-bottom:1rem}
.chart svg,.plot{display:block;width:100%;height:auto;overflow:visible}
.plot text{white-space:pre}
.legend{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,20rem),1fr));gap:.5rem 2rem;align-items:center;margin-bottom:.5rem}
.scale{width:100%;max-width:30rem;height:auto;font-size:13px;fill:currentColor;font-variant-numeric:tabular-nums;overflow:visible}
.scale .name{fill:var(--soft)}
.key{white-space:nowrap;margin-right:.9rem}
.key svg{width:28px;height:8px;background:#777;vertical-align:middle;border-radius:2px}
#pictures section{margin-top:1.25rem}
.gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr));gap:1rem}
.item{background:var(--panel);border-radius:.5rem;padding:.6rem;border-top:3px solid var(--line)}
.item.wrong{border-top-color:var(--bad-line)}
.panels{display:grid;grid-auto-flow:column;grid-auto-columns:1fr;gap:.35rem}
.patches{margin-top:.35rem;max-width:60%}
.panel{text-align:center;color:var(--soft);font-size:.75rem;line-height:1.4}
.panel svg{display:block;width:100%;height:auto;border-radius:.2rem;background:#777}
.coarse image{image-rendering:pixelated}
.grey{filter:grayscale(1)}
.contour,.truth{fill:none;vector-effect:non-scaling-stroke;stroke-width:1.6;stroke:#fff}
.contour.under{stroke:#000;stroke-width:3.4}
.truth{stroke:#000;stroke-width:3}
.truth.dash{stroke:#4de1ff;stroke-width:2;stroke-dasharray:4 3}
.item figcaption{font-size:.85rem;line-height:1.4;margin-top:.35rem;overflow-wrap:anywhere}
.id{color:var(--soft);font-size:.8rem}
.decision{border:1px solid var(--line);border-radius:1rem;padding:0 .5rem;font-size:.78rem;white-space:nowrap}
.wrong .decision{border-color:var(--bad-line);font-weight:650}
.words{display:block;color:var(--soft);font-size:.8rem;font-variant-numeric:tabular-nums}
.series{display:block;width:100%;min-width:36rem;height:auto;margin-bottom:.75rem;font-size:11px}
.pair .series{min-width:0}
.series path{fill:none;vector-effect:non-scaling-stroke;stroke-width:1.2}
.series .value{stroke:var(--normal)}
.series .expected{fill:var(--normal);opacity:.22}
.series .score{stroke:var(--text)}
.series .level{stroke:var(--soft);stroke-dasharray:5 4}
.series text{fill:var(--soft);font-variant-numeric:tabular-nums}
.series .name{fill:var(--text);font-weight:600;paint-order:stroke;stroke:var(--page);stroke-width:3px}
.strip{margin-bottom:.75rem;min-width:30rem}
.truth-band{fill:var(--anomalous);opacity:.25}
.alarm-band{fill:var(--anomalous)}
details{margin:0 0 1.25rem}
summary{cursor:pointer;padding:.3rem 0;color:var(--link)}
.facts{margin:0;font-size:.9rem}
.facts div{display:grid;grid-template-columns:minmax(6.5rem,10rem) 1fr;gap:.75rem;padding:.2rem 0;border-bottom:1px solid var(--line)}
.facts dt{color:var(--soft)}
.facts dd{margin:0;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
footer{color:var(--soft);font-size:.85rem;padding-block:1.25rem 2rem}
@media print{nav,.skip{display:none}.item,.chart,tr{break-inside:avoid}}
`;
