// What people do with rooms and each other beyond the first conversation: rights, names, pins, what waits, what is remembered.
export async function rooms({test, ada, bob, check, shoot, accessible}) {
  const room = 'Event-driven';
  const pane = async (person, name) => { await person.page.locator('.bar .acts').first().getByRole('button', {name}).click(); await person.page.locator('aside.side').waitFor(); };
  const closePane = person => person.page.locator('aside.side').getByRole('button', {name: /^Close/}).click();

  await test('Enter sends where a whole name stands before it', async () => {
    await ada.page.bringToFront();
    await ada.goTo(room);
    await bob.goTo(room);
    await ada.field().pressSequentially('Is this for @bob');
    await ada.page.locator('.offer [role=option]', {hasText: 'Bob'}).waitFor();
    await ada.field().press('Enter');
    await bob.page.locator('article.is-for-me', {hasText: 'Is this for @Bob'}).waitFor();
  });
  await test('an emoji is found by its name, for a text and for a reaction', async () => {
    await ada.page.locator('.composer').getByRole('button', {name: 'Emoji'}).click();
    await ada.page.getByLabel('Find an emoji').fill('rocket');
    await ada.page.getByRole('button', {name: 'rocket ship'}).waitFor();
    await accessible(ada, 'emoji');
    await shoot(ada, 'emoji');
    await ada.page.getByLabel('Find an emoji').press('Enter');
    check(await ada.field().inputValue() === '🚀', 'the emoji is not in the field');
    await ada.field().press('Enter');
    await bob.sees('🚀');
    await bob.tool('Is this for', 'React');
    await bob.page.getByRole('button', {name: 'More emoji'}).click();
    await bob.page.getByRole('button', {name: 'target dart'}).click();
    await ada.page.locator('article.msg', {hasText: 'Is this for'}).locator('.react', {hasText: '🎯'}).waitFor();
  });
  await test('what opens beside a message is whole on the page, high and low in the log, and Esc leads back', async () => {
    for (const text of ['Is anybody here?', '🚀']) {
      await ada.tool(text, 'React');
      await ada.page.getByRole('button', {name: 'More emoji'}).click();
      await ada.page.getByLabel('Find an emoji').waitFor();
      await shoot(ada, text === '🚀' ? 'react-low' : 'react-high');
      const box = await ada.page.locator('.chooser').boundingBox();
      check(box.x >= 0 && box.y >= 0 && box.x + box.width <= 1440 && box.y + box.height <= 900, `the choice leaves the page beside "${text}": ${JSON.stringify(box)}`);
      await accessible(ada, 'reactions');
      await ada.page.getByLabel('Find an emoji').press('Escape');
      await ada.page.locator('.chooser').waitFor({state: 'detached'});
      check(await ada.page.evaluate(() => document.activeElement?.getAttribute('aria-label')) === 'React', 'Esc does not lead back to the button');
    }
    await ada.tool('🚀', 'More');
    await ada.page.locator('.menu').waitFor();
    await ada.page.locator('.bar h1').click();
    await ada.page.locator('.menu').waitFor({state: 'detached'});
  });
  await test('an owner pins, and everybody finds it and gets there', async () => {
    await ada.tool('Then read this', 'More');
    await ada.page.locator('.menu').getByRole('button', {name: 'Pin'}).click();
    await pane(bob, /pinned message/i);
    await bob.page.locator('aside.side .msg', {hasText: 'Then read this'}).getByRole('button', {name: 'Show in the room'}).click();
    await bob.page.locator('.log article.is-jumped', {hasText: 'Then read this'}).waitFor();
    await accessible(bob, 'pins');
    await closePane(bob);
  });
  await test('a role changes live, with what it allows', async () => {
    await pane(ada, /members/);
    await ada.page.locator('.member', {hasText: 'Bob'}).getByRole('button', {name: /More about/}).click();
    await accessible(ada, 'member menu');
    await ada.page.locator('.menu').getByRole('button', {name: 'Make moderator'}).click();
    await ada.page.locator('aside.side h2', {hasText: 'Moderators, 1'}).waitFor();
    await bob.page.locator('.log .who', {hasText: 'Bob'}).locator('.tag', {hasText: 'Moderator'}).first().waitFor();
    await bob.tool('Is this for', 'More');
    await bob.page.locator('.menu').getByRole('button', {name: 'Pin'}).waitFor();
    await bob.page.keyboard.press('Escape');
    await closePane(ada);
  });
  await test('a person has a card', async () => {
    await ada.page.locator('.log .who', {hasText: 'Bob'}).getByRole('button', {name: 'Bob'}).first().click();
    await ada.page.locator('dialog .person', {hasText: 'Here now'}).waitFor();
    await accessible(ada, 'a person');
    await shoot(ada, 'person');
    await ada.page.keyboard.press('Escape');
    await ada.page.locator('dialog').waitFor({state: 'detached'});
  });
  await test('a room is renamed, archived and opened again before everybody’s eyes', async () => {
    await pane(ada, 'About this room');
    await accessible(ada, 'about');
    await shoot(ada, 'about');
    await ada.page.locator('aside.side [name=name]').fill('Event-driven systems');
    await ada.page.locator('aside.side').getByRole('button', {name: 'Save'}).click();
    await bob.page.locator('.bar h1', {hasText: 'Event-driven systems'}).waitFor();
    await ada.page.locator('aside.side').getByRole('button', {name: 'Archive room'}).click();
    await accessible(ada, 'a question');
    await ada.page.locator('dialog').getByRole('button', {name: 'Archive room'}).click();
    await bob.page.locator('.no-write').waitFor();
    await ada.page.locator('.no-write').getByRole('button', {name: 'Open again'}).click();
    await bob.field().waitFor();
    await closePane(ada);
  });
  await test('who is removed loses the room at once, and gets it back when added', async () => {
    await pane(ada, /members/);
    await ada.page.locator('.member', {hasText: 'Bob'}).getByRole('button', {name: /More about/}).click();
    await ada.page.locator('.menu').getByRole('button', {name: 'Remove', exact: true}).click();
    await bob.page.locator('.toast', {hasText: 'You are not in Event-driven systems any more'}).waitFor();
    check(await bob.page.locator('.room', {hasText: room}).count() === 0, 'the room is still in the list');
    await ada.page.locator('aside.side').getByRole('button', {name: 'Add people'}).click();
    await ada.page.locator('dialog .hit', {hasText: 'Bob'}).click();
    await bob.page.locator('.room', {hasText: room}).waitFor();
    await ada.page.keyboard.press('Escape');
    await ada.page.locator('dialog').waitFor({state: 'detached'});
    await closePane(ada);
  });
  await test('what waits is counted, and the line stands before the first of it', async () => {
    await ada.write('First of what waits');
    await ada.write('Second of what waits, @bob');
    const row = bob.page.locator('.room', {hasText: room});
    await row.locator('.badge.unread', {hasText: '2'}).waitFor();
    await row.locator('.badge.mention', {hasText: '@1'}).waitFor();
    await shoot(bob, 'waiting');
    const place = async () => (await ada.message('Second of what waits').boundingBox()).y, before = await place();
    await bob.page.bringToFront();
    await row.click();
    await bob.page.locator('.new', {hasText: '2 new'}).waitFor();
    const after = await bob.page.locator('.new + article').innerText();
    check(after.includes('First of what waits'), 'the line stands before: ' + after);
    await ada.page.locator('.seen-line', {hasText: 'Bob'}).waitFor();
    check(await place() === before, 'who has read it moves the lines of the log');
    await bob.page.locator('.room', {hasText: 'Ada'}).first().click();
    check(await row.locator('.badge').count() === 0, 'the room still counts what was read');
  });
  await test('a draft stays in its room, also over a reload', async () => {
    await bob.goTo(room);
    await bob.field().fill('Not finished yet');
    await bob.page.locator('.room', {hasText: 'Ada'}).first().click();
    await bob.page.locator('.room', {hasText: room}).locator('.end', {hasText: 'Draft'}).waitFor();
    await bob.page.reload();
    await bob.goTo(room);
    check(await bob.field().inputValue() === 'Not finished yet', 'the draft is gone');
    await bob.field().fill('');
  });
  await test('all of it goes with keys', async () => {
    const page = ada.page;
    await page.bringToFront();
    await ada.goTo(room);
    await page.locator('.log').focus();
    await page.keyboard.press('k');
    await page.keyboard.press('r');
    await page.locator('.composer .about', {hasText: 'Reply to'}).waitFor();
    check(await page.evaluate(() => document.activeElement?.tagName) === 'TEXTAREA', 'R does not lead to the field');
    await page.keyboard.press('Escape');
    await page.locator('.composer .about').waitFor({state: 'detached'});
    await page.keyboard.press('F6');
    check(await page.evaluate(() => document.activeElement?.closest('.rooms') !== null), 'F6 does not lead to the rooms');
    await page.keyboard.press('?');
    await page.locator('dialog', {hasText: 'Keys'}).waitFor();
    await accessible(ada, 'keys');
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({state: 'detached'});
    await page.keyboard.press('Alt+Shift+ArrowDown');
    await page.locator('.bar h1', {hasText: 'Bob'}).waitFor();
  });
  await test('a public room is found and joined', async () => {
    await ada.page.getByRole('navigation', {name: 'Rooms'}).getByRole('button', {name: 'Create a room'}).click();
    await ada.page.getByLabel('Name').first().fill('Cafeteria');
    await ada.page.locator('dialog').getByRole('button', {name: 'Public', exact: true}).click();
    await ada.page.locator('dialog').getByRole('button', {name: 'Create room'}).click();
    await ada.page.locator('.bar h1', {hasText: 'Cafeteria'}).waitFor();
    await bob.page.bringToFront();
    await bob.page.getByRole('button', {name: 'Browse public rooms'}).first().click();
    await bob.page.locator('dialog .hit', {hasText: 'Cafeteria'}).waitFor();
    await accessible(bob, 'public rooms');
    await bob.page.locator('dialog .hit', {hasText: 'Cafeteria'}).getByRole('button', {name: 'Join'}).click();
    await bob.page.locator('.bar h1', {hasText: 'Cafeteria'}).waitFor();
    await bob.page.locator('.empty', {hasText: 'Nothing here yet'}).waitFor();
    await shoot(bob, 'empty');
  });
  await test('on a phone there is one page at a time, and a way back', async () => {
    await bob.page.setViewportSize({width: 390, height: 844});
    await accessible(bob, 'conversation on a phone');
    await bob.page.getByRole('link', {name: 'Back to rooms'}).click();
    await bob.page.getByRole('navigation', {name: 'Rooms'}).waitFor();
    check(await bob.page.locator('.composer').count() === 0, 'the conversation is still there');
    await accessible(bob, 'rooms on a phone');
    await bob.goTo('Event-driven');
    await bob.message('First of what waits').click();  // a tap: there is nothing to hover with
    await bob.message('First of what waits').getByRole('toolbar').getByRole('button', {name: 'React'}).click();
    await bob.page.getByRole('button', {name: '👀'}).click();
    await ada.goTo('Event-driven');
    await ada.message('First of what waits').locator('.react', {hasText: '👀'}).waitFor();
    await bob.page.getByRole('link', {name: 'Back to rooms'}).click();
    await bob.page.setViewportSize({width: 1440, height: 900});
    await shoot(bob, 'rooms');
  });
}

export async function leaving({test, ada, bob}) {
  await test('a new password ends the other sessions; one signs out and comes back', async () => {
    await bob.page.getByRole('button', {name: 'Settings'}).click();
    await bob.page.getByLabel('Current password').fill(bob.password);
    bob.password = 'another password of bob';
    await bob.page.getByLabel('New password').fill(bob.password);
    await bob.page.getByRole('button', {name: 'Change password'}).click();
    await bob.page.locator('.toast', {hasText: 'Changed'}).waitFor();
    await bob.page.getByRole('button', {name: 'Sign out here'}).click();
    await bob.page.getByRole('heading', {name: 'Come in'}).waitFor();
    await bob.signIn();
    await bob.goTo('Event-driven');
    await bob.sees('Second of what waits');
    await ada.page.bringToFront();
    await ada.goTo('Event-driven');
    await ada.write('Welcome back');
    await bob.sees('Welcome back');
  });
}
