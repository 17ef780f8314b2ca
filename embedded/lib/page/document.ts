/** The HTML document of the page, which its modules fill. */
export const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Service Center</title>
<link rel="icon" href="icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="style.css">
<script type="module" src="browser/main.js"></script>
</head>
<body>
<a class="skip" href="#services">Skip to the services</a>
<header>
  <img src="icon.svg" alt="" width="28" height="28">
  <h1>Service Center</h1>
  <p class="quiet">embedded, not for production</p>
  <p id="setup" class="quiet"></p>
  <p id="counts" class="quiet"></p>
  <p id="connection" data-state="waiting">connecting</p>
</header>
<p id="problem" role="alert" hidden></p>
<main>
  <section id="services" aria-labelledby="services-title" tabindex="-1">
    <div class="bar-of-section">
      <h2 id="services-title">Services</h2>
      <a href="seed" download="registry.json">Download as a seed</a>
      <label class="filter">Filter <input id="filter" type="search" autocomplete="off"></label>
    </div>
    <div id="service-list"></div>
    <button id="more-services" type="button" class="more" hidden></button>
    <div id="empty" class="card" hidden>
      <h3>Nothing is registered yet</h3>
      <p>A NestJS application with nestjs-servicecomb registers itself at start:</p>
      <pre><code id="example-nest"></code></pre>
      <p>Any other program needs two requests:</p>
      <pre><code id="example-curl"></code></pre>
      <p class="quiet">It appears here at once.</p>
    </div>
    <p id="no-match" class="quiet" hidden>No service matches the filter.</p>
    <details id="legend">
      <summary>What the labels and buttons mean</summary>
      <dl>
        <dt>UP</dt><dd>Consumers call the instance.</dd>
        <dt>DOWN, STARTING, TESTING, OUTOFSERVICE</dt><dd>The instance is listed and holds a lease, and consumers do not call it.</dd>
        <dt>12 s of 60 s left</dt><dd>The rest of the lease. A heartbeat renews it in full; at its end the registry drops the instance.</dd>
        <dt>Expire</dt><dd>Drops the instance as if its lease had ended. Its next heartbeat is answered "no such instance", and a client that works registers again.</dd>
        <dt>Remove</dt><dd>Unregisters the instance, as it does itself at shutdown. A client that works finds out in the same way, and registers again.</dd>
        <dt>registered, updated, removed, expired</dt><dd>What happened to a service or an instance: the last 500 changes since the registry started. Renewals are listed from the moment when this page was opened.</dd>
        <dt>Download as a seed</dt><dd>All services and instances as a file that <code>npx embedded-service-center --seed</code> starts with.</dd>
      </dl>
    </details>
  </section>
  <div class="side">
    <section id="faults" class="card" aria-labelledby="faults-title">
      <h2 id="faults-title">Faults</h2>
      <ul id="fault-list" class="plain"></ul>
      <p id="no-faults" class="quiet">None is active: every request is answered normally.</p>
      <details>
        <summary>Switch on a fault</summary>
        <div id="fault-form"></div>
      </details>
      <p>
        <button id="down" type="button">Registry down for 30 s</button>
        <button id="close-idle" type="button">Close idle connections</button>
        <button id="cut-watchers" type="button">Cut watchers</button>
      </p>
    </section>
    <section id="events" class="card" aria-labelledby="events-title">
      <div class="bar-of-section">
        <h2 id="events-title">Events</h2>
        <label><input id="show-renewals" type="checkbox" checked> renewals</label>
      </div>
      <ol id="event-list" class="plain" tabindex="0" aria-labelledby="events-title"></ol>
      <p id="no-events" class="quiet">Events appear here.</p>
    </section>
  </div>
</main>
<p id="announcement" class="unseen" role="status" aria-live="polite"></p>
<noscript><p>This page needs JavaScript. The same data is available as JSON at <a href="registry">registry</a>.</p></noscript>
</body>
</html>
`;
