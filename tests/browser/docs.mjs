// /docs: both descriptions, whole, to read without the internet.

export async function docs({test, bob, check, shoot, accessible, server}) {
  const page = bob.page, fold = name => page.locator('.docs details', {has: page.locator('summary code', {hasText: new RegExp(`^${name.replaceAll('.', '\\.')}$`)})});
  const description = await (await fetch(server.url + '/asyncapi.json')).json();
  const asked = [];
  page.on('request', request => asked.push(request.url()));

  await test('the API page reads the description and is accessible', async () => {
    await page.goto(server.url + '/docs');
    await page.locator('.docs summary', {hasText: '/rooms/{room}/messages'}).first().waitFor();
    const login = page.locator('.docs details', {has: page.locator('summary', {hasText: '/auth/login'})});
    await login.locator('summary').click();
    await login.locator('.fields li', {hasText: /^password string · 1 to 1024 characters/}).first().waitFor();
    await login.locator('p', {hasText: /^401 \w/}).waitFor();
    await login.getByText('What went wrong is said by a').click();
    await login.getByText('Finds this request in logs and traces.').waitFor();
    await accessible(bob, 'docs');
    await shoot(bob, 'docs');
  });
  await test('its events and frames are there too: each channel, operation and message of the description', async () => {
    await page.getByRole('link', {name: 'Events and frames'}).click();
    await page.getByRole('heading', {level: 1, name: description.info.title}).waitFor();
    const last = pointer => pointer.$ref.split('/').pop(), message = pointer => description.components.messages[last(pointer)];
    let folds = 0;
    for (const [name, channel] of Object.entries(description.channels)) {
      const section = page.locator('.docs section', {has: page.locator(`h2[id="events/${name}"]`)});
      await section.getByText(channel.description.split(/[`\n]/)[0]).first().waitFor();
      const own = Object.entries(description.operations).filter(([, one]) => last(one.channel) === name);
      const lines = own.flatMap(([id, one]) => one.reply ? [[id, one.summary]] : one.messages.map(m => [message(m).name, message(m).summary]));
      const seen = await section.locator('details > summary').evaluateAll(all => all.map(one => [one.querySelector('code').textContent, one.lastChild.textContent]));
      check(JSON.stringify(seen.sort()) === JSON.stringify(lines.map(([id, says]) => [id, says.replaceAll('`', '')]).sort()), `${name} shows ${JSON.stringify(seen)}`);
      folds += lines.length;
    }
    check(Object.keys(description.channels).length >= 7 && folds >= 50, `only ${folds} lines`);
  });
  await test('a request shows its fields, rules and answers; an event what is its own and what all share', async () => {
    const send = fold('send').first();
    await send.locator('summary').click();
    const payload = description.components.messages['op.send'].payload;
    await send.locator('.fields li', {hasText: /^client_id string · .*characters/}).waitFor();   // they are drawn when it opens
    check(JSON.stringify((await send.locator('.op > .fields').first().locator('> li > code').allTextContents()).sort()) === JSON.stringify(Object.keys(payload.properties).sort()), 'the fields of send are others');
    await send.locator('.fields li', {hasText: /^reply_to integer.* optional/}).waitFor();
    await send.locator('.fields li', {hasText: 'no other fields'}).waitFor();
    await send.locator('p', {hasText: /^error It did nothing/}).waitFor();
    const created = page.locator('section', {has: page.locator('h2', {hasText: 'new-messages'})}).locator('details', {has: page.locator('summary', {hasText: 'message.created'})}).first();
    await created.locator('summary').first().click();
    await created.locator('.fields .fields .fields li', {hasText: /^emoji string/}).waitFor();   // data, its message, each of its reactions
    const shared = created.locator('details.shared');
    check(!await shared.getByText('UUIDv7 of the event.').isVisible(), 'the envelope is open');
    await shared.locator('summary').click();
    await shared.getByText('UUIDv7 of the event.').waitFor();
    await accessible(bob, 'events');
    await created.scrollIntoViewIfNeeded();
    await shoot(bob, 'events');
    await page.setViewportSize({width: 320, height: 640});
    check(await page.evaluate(() => document.documentElement.scrollWidth <= 320 && document.body.scrollWidth <= 320), 'a narrow page scrolls sideways');
    await page.setViewportSize({width: 1440, height: 900});
  });
  await test('a channel has an address of its own, and nothing was asked of anybody else', async () => {
    await page.goto('about:blank');
    await page.goto(server.url + '/docs#events/user-events');
    const heading = page.locator('h2[id="events/user-events"]');
    await heading.waitFor();
    await page.waitForFunction(() => Math.abs(document.getElementById('events/user-events').getBoundingClientRect().top) < innerHeight / 2);
    const others = asked.filter(url => url !== 'about:blank' && !url.startsWith(server.url + '/'));
    check(asked.some(url => url.endsWith('/asyncapi.json')) && !others.length, `asked for ${others}`);
  });
}
