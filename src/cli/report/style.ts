/** The style of a page. Colours are those of Okabe and Ito, which colour-blind readers tell apart. */
export const STYLE = `:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--soft:#57606a;--rule:#d5dae0;--faint:#eef1f4;--link:#0a58a8;
--c0:#0072b2;--c1:#e69f00;--c2:#009e73;--c3:#cc79a7;--c4:#56b4e9;--c5:#d55e00;--co:#9aa3ad;--calm:#5b9fd1;--empty:#d3e4f1;--wait:#f0e442;--clash:#8a2f6b;--black:#1b1f24}
@media (prefers-color-scheme:dark){:root{--paper:#14171a;--ink:#e8eaed;--soft:#a3abb5;--rule:#3a4149;--faint:#22272c;--link:#7cb8f0;
--c0:#4ba3dc;--c1:#e6a817;--c2:#1fb88c;--c3:#d991b8;--c4:#8acbf0;--c5:#ec7a2c;--co:#7a838d;--calm:#2f6c9c;--empty:#1f3547;--wait:#cfc236;--clash:#a8478a;--black:#e8eaed}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans",sans-serif}
main,header,footer{max-width:52rem;margin:0 auto;padding:0 1rem}
header{padding-top:3rem}
h1{font-size:1.95rem;line-height:1.2;margin:0 0 .5rem;letter-spacing:-.01em}
h2{font-size:1.5625rem;line-height:1.25;margin:4rem 0 1rem;padding-top:1rem;border-top:2px solid var(--ink)}
h3{font-size:1.25rem;line-height:1.35;margin:2rem 0 .25rem;overflow-wrap:anywhere}
p,dd{margin:0 0 1rem;max-width:42rem;overflow-wrap:anywhere}
header p,figcaption p,.muted,footer,.missing,i{color:var(--soft)}
i{font-style:normal}
a{color:var(--link)}
nav{margin:1.5rem 0 0;font-size:.8125rem}
nav ul{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem}
nav a{display:inline-block;padding:.25rem 0;text-decoration:none}
nav a:hover{text-decoration:underline}
figure{margin:0 0 3rem;break-inside:avoid}
figure>svg,.if-wide,.if-narrow{margin:1rem 0}
.missing{border-left:3px solid var(--rule);padding-left:1rem}
svg{display:block;overflow:visible}
svg text{font-size:13px;fill:var(--ink)}
svg text.muted{fill:var(--soft)}
svg svg{overflow:hidden}
.legend{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;font-size:.8125rem;color:var(--soft)}
.legend li{display:flex;align-items:center;gap:.4rem;min-width:0;overflow-wrap:anywhere}
.legend svg{flex:none}
.legend b{color:var(--ink);font-variant-numeric:tabular-nums}
.wide{overflow-x:auto;margin:.5rem 0 1rem;background:linear-gradient(90deg,var(--paper) 1rem,transparent) 0 0/2rem 100% no-repeat local,linear-gradient(270deg,var(--paper) 1rem,transparent) 100% 0/2rem 100% no-repeat local,linear-gradient(90deg,var(--rule),transparent) 0 0/.5rem 100% no-repeat,linear-gradient(270deg,var(--rule),transparent) 100% 0/.5rem 100% no-repeat}
table{border-collapse:collapse;font-size:.8125rem;line-height:1.4;width:100%}
th,td{text-align:left;padding:.35rem 1rem .35rem 0;border-bottom:1px solid var(--rule);vertical-align:top;max-width:22rem;overflow-wrap:break-word}
th{font-weight:600;color:var(--soft);vertical-align:bottom}
time{white-space:nowrap}
.d{white-space:nowrap}
.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
th.n{white-space:normal}
td:last-child,th:last-child{padding-right:0}
details{font-size:.8125rem;margin-top:.5rem}
summary{cursor:pointer;color:var(--link);padding:.25rem 0;width:max-content}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
dl{margin:2rem 0;display:grid;grid-template-columns:12rem 1fr;gap:.5rem 1.5rem}
dt{font-weight:600}
dd{margin:0}
footer{font-size:.8125rem;padding-bottom:4rem}
.rows{list-style:none;margin:1rem 0 0;padding:0;font-size:.8125rem;line-height:1.4}
.rows li{display:grid;grid-template-columns:15rem 1fr 12rem;gap:.125rem 1.5rem;align-items:center;padding:.4rem 0;border-bottom:1px solid var(--faint)}
.rows span{overflow-wrap:anywhere}
.rows b{order:1;font-weight:400;text-align:right;font-variant-numeric:tabular-nums}
.rows b i{display:block}
.scale{display:flex;justify-content:space-between;max-width:none;margin:.25rem 13.5rem 1rem 16.5rem;font-size:.8125rem;color:var(--soft)}
.page{font-size:13px;line-height:18px;padding:0 6px 0 14px;color:var(--ink);display:flex;align-items:center}
.of-1{height:18px}.of-2{height:36px}.of-3{height:54px}
.page span{display:-webkit-box;-webkit-line-clamp:1;line-clamp:1;-webkit-box-orient:vertical;overflow:hidden;overflow-wrap:anywhere}
.of-2 span{-webkit-line-clamp:2;line-clamp:2}
.of-3 span{-webkit-line-clamp:3;line-clamp:3}
.page b{font-variant-numeric:tabular-nums}.page i{color:inherit}
.if-narrow{display:none}
.bands path{fill:var(--c4);opacity:.3}
.bars rect{fill:var(--c0)}
.c-0{fill:var(--c0)}.c-1{fill:var(--c1)}.c-2{fill:var(--c2)}.c-3{fill:var(--c3)}.c-4{fill:var(--c4)}.c-5{fill:var(--c5)}.c-other{fill:var(--co)}
.s-loaded{fill:var(--calm)}.s-empty{fill:var(--empty)}.s-landed{fill:var(--c1)}.s-unverified{fill:var(--c2)}.s-doubled{fill:var(--c3)}
.s-outdated{fill:var(--c0)}.s-conflict{fill:var(--clash)}
.s-pending{fill:var(--wait)}.s-open{fill:var(--rule)}.s-gap{fill:var(--c5)}.s-accepted{fill:var(--co)}.s-gone{fill:var(--black)}
.grid{stroke:var(--paper);stroke-width:1;vector-effect:non-scaling-stroke;fill:none}
.axis,.track{stroke:var(--rule);stroke-width:1}
.interval{stroke:var(--c0);stroke-width:3;stroke-linecap:round;opacity:.55}
.share{fill:var(--c0)}
.others{stroke:var(--ink);stroke-width:2}
.elsewhere{stroke:var(--c5);stroke-width:3;stroke-dasharray:3 2}
@media (max-width:640px){.if-wide{display:none}.if-narrow{display:block}h1{font-size:1.5625rem}h2{font-size:1.25rem;margin-top:3rem}h3{font-size:1rem}.w{display:none}.d{white-space:normal}th,td{padding-right:.6rem}dl{display:block}dd{margin-bottom:.75rem}header{padding-top:1.5rem}
.rows li{grid-template-columns:1fr auto}.rows b{order:0}.rows svg{grid-column:1/-1}.scale{margin-left:0;margin-right:0}}
@media print{details:not([open]),nav{display:none}body{font-size:11pt}main,header,footer{max-width:none;padding:0}h2{break-after:avoid;margin-top:2rem}.wide{overflow:visible;background:none}.many{font-size:6.5pt}.many th,.many td{padding-right:.5rem}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
`
