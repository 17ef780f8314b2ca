/**
 * Style of the page: one column on phones and two on desktops, light or dark by the reader's
 * preference.
 */
export const style = `
:root {
  color-scheme: light dark;
  --ground: #f4f6f4; --card: #ffffff; --text: #1b2320; --quiet: #55615c; --line: #dbe2de;
  --good: #17705a; --warn: #8a5a00; --bad: #b3261e; --track: #e4eae7; --soft: #edf2ef;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #111614; --card: #1a211e; --text: #e7ece9; --quiet: #9fada7; --line: #2d3833;
    --good: #58c9a5; --warn: #e3ae55; --bad: #ff9188; --track: #2a342f; --soft: #222b27;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', 'Open Sans', sans-serif;
}
h1, h2, h3, p, ul, ol, dl, dd, pre { margin: 0; padding: 0; }
h1 { font-size: 1.15rem; font-weight: 650; }
h2 { font-size: 1rem; font-weight: 650; }
h3 { font-size: 1rem; font-weight: 600; overflow-wrap: anywhere; }
code, .id, .endpoint, dl { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .86em; }
:focus-visible { outline: 2px solid var(--good); outline-offset: 2px; border-radius: 4px; }
.quiet { color: var(--quiet); font-size: .88rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: 1rem; top: -4rem; background: var(--card); padding: .4rem .8rem; }
.skip:focus { top: .5rem; }
header {
  display: flex; flex-wrap: wrap; align-items: center; gap: .3rem .8rem;
  padding: .9rem clamp(.8rem, 3vw, 2rem); border-bottom: 1px solid var(--line); background: var(--card);
}
#counts { margin-left: auto; font-variant-numeric: tabular-nums; }
#connection { font-size: .85rem; padding: .1rem .6rem; border-radius: 1rem; border: 1px solid var(--line); color: var(--quiet); }
#connection::before { content: ''; display: inline-block; width: .5rem; height: .5rem; margin-right: .4rem; border-radius: 50%; background: currentColor; }
#connection[data-state='live'] { color: var(--good); }
#connection[data-state='lost'] { color: var(--bad); }
#problem { margin: .8rem clamp(.8rem, 3vw, 2rem) 0; padding: .5rem .8rem; border: 1px solid var(--bad); border-radius: 8px; color: var(--bad); background: var(--card); overflow-wrap: anywhere; }
main {
  display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.2rem; align-items: start;
  max-width: 84rem; margin: 0 auto; padding: 1.2rem clamp(.8rem, 3vw, 2rem);
}
@media (min-width: 62rem) {
  main { grid-template-columns: minmax(0, 1fr) 23rem; }
  .side { position: sticky; top: 1.2rem; }
}
section:focus { outline: none; }
.side { display: grid; gap: 1.2rem; min-width: 0; }
.bar-of-section { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .4rem 1rem; margin-bottom: .7rem; }
.card, .service { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: .9rem 1rem; min-width: 0; }
.service { margin-bottom: .9rem; padding: 0; overflow: hidden; }
.service > header { border: 0; padding: .75rem 1rem; gap: .1rem .6rem; background: none; }
.service > header .quiet { overflow-wrap: anywhere; min-width: 0; }
.service h3:focus { outline: none; }
.service h3:focus-visible { outline: 2px solid var(--good); outline-offset: 2px; }
.version { color: var(--quiet); font-weight: 400; }
.count { margin-left: auto; }
ul.plain, ol.plain, .instances { list-style: none; }
.instance { display: grid; grid-template-columns: minmax(0, 1fr); gap: .35rem; padding: .65rem 1rem .7rem; border-top: 1px solid var(--line); }
.line { display: flex; flex-wrap: wrap; align-items: center; gap: .2rem .7rem; min-width: 0; }
.line > * { min-width: 0; overflow-wrap: anywhere; }
.status { font-size: .74rem; font-weight: 650; letter-spacing: .03em; padding: .05rem .5rem; border-radius: 1rem; border: 1px solid currentColor; color: var(--warn); }
.status[data-status='UP'] { color: var(--good); }
.status[data-status='DOWN'] { color: var(--bad); }
.endpoint { background: var(--soft); padding: .05rem .4rem; border-radius: 5px; }
.track { flex: 1 1 8rem; height: .5rem; border-radius: 1rem; background: var(--track); overflow: hidden; }
.fill { height: 100%; border-radius: 1rem; background: var(--good); transform-origin: left; transition: transform .5s linear, background-color .5s; }
.fill[data-level='low'] { background: var(--warn); }
.fill[data-level='last'] { background: var(--bad); }
.left { font-size: .88rem; font-variant-numeric: tabular-nums; min-width: 8.5rem; }
.beat { margin-left: auto; font-variant-numeric: tabular-nums; }
.actions { display: flex; gap: .5rem; margin-left: auto; }
button, select, input[type='search'], input[type='number'], input[type='text'] {
  font: inherit; font-size: .88rem; color: var(--text); background: var(--card);
  border: 1px solid var(--line); border-radius: 7px; padding: .25rem .7rem; min-height: 2rem; max-width: 100%;
}
button { cursor: pointer; flex: none; }
button:hover { border-color: var(--quiet); background: var(--soft); }
button.danger { color: var(--bad); }
button.main { background: var(--good); border-color: var(--good); color: var(--card); font-weight: 600; }
.more { margin: .5rem 1rem .8rem; }
summary { cursor: pointer; color: var(--quiet); font-size: .88rem; padding: .2rem 0; }
details[open] > summary { margin-bottom: .4rem; }
dl { display: grid; grid-template-columns: minmax(0, auto) minmax(0, 1fr); gap: .1rem .8rem; overflow-wrap: anywhere; }
dt { color: var(--quiet); }
.filter { color: var(--quiet); font-size: .88rem; }
.filter input { width: 12rem; margin-left: .3rem; }
#events label { color: var(--quiet); font-size: .88rem; }
#fault-list:not(:empty) { margin: .5rem 0; }
#fault-list li { display: flex; gap: .6rem; align-items: center; justify-content: space-between; padding: .35rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
#fault-list li > span { min-width: 0; }
#fault-list .quiet { display: block; }
#faults > p, #faults > details { margin-top: .5rem; }
#faults > p:last-child { display: flex; flex-wrap: wrap; gap: .4rem; }
form, .field { display: grid; grid-template-columns: minmax(0, 1fr); }
.field { gap: .15rem; margin-bottom: .6rem; }
.field:last-child { margin-bottom: 0; }
.field label { font-size: .85rem; color: var(--quiet); }
#event-list { max-height: 26rem; overflow-y: auto; font-size: .88rem; }
#event-list li { display: flex; gap: .6rem; padding: .25rem 0; border-top: 1px solid var(--line); }
#event-list li > span { min-width: 0; overflow-wrap: anywhere; }
#event-list time { color: var(--quiet); font-variant-numeric: tabular-nums; flex: none; }
#event-list strong { font-weight: 600; }
#event-list [data-kind='registered'] strong { color: var(--good); }
#event-list [data-kind='expired'] strong { color: var(--bad); }
#event-list [data-kind='removed'] strong { color: var(--warn); }
#empty { display: grid; gap: .6rem; }
.facts { padding: 0 1rem .6rem; }
#legend { margin-top: .6rem; }
#legend dl { font-family: inherit; font-size: .88rem; gap: .4rem .8rem; grid-template-columns: minmax(0, 11rem) minmax(0, 1fr); }
a { color: var(--good); }
pre { background: var(--soft); border-radius: 8px; padding: .7rem .8rem; overflow-x: auto; }
@media (max-width: 30rem) {
  .beat, .count, #counts { margin-left: 0; }
  .actions { margin-left: 0; }
  button { min-height: 2.5rem; }
}
@media (prefers-reduced-motion: reduce) { .fill { transition: none; } }
`;
