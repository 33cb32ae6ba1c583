import { overflowing } from '../fixtures/appearance.ts';
import { violations } from '../fixtures/axe.ts';
import { expect, test } from '../fixtures/test.ts';

// The page about the API is a library's, `utoipa-swagger-ui`: the page around it and its styles come with it.

test.skip(({ render }) => render !== 'ssr', 'the page is no part of the app, and the same in both modes');

/** What axe finds in Swagger UI, and where: that much, and not more. */
const ofSwaggerUi: Readonly<Record<string, string>> = {
  'button-name': 'the switch between light and dark is a picture without words',
  'color-contrast': 'the labels of the methods and versions, and the links, are too pale',
  'heading-order': 'the groups of operations have the third level below the first',
  label: 'the field for the address of another description has no label',
  'landmark-one-main': 'the page has no landmark',
  'nested-interactive': 'the line of an operation is a button with a link in it',
  region: 'the page has no landmark',
};

test('the API can be read about on every screen', async ({ page, server }) => {
  const description = (await (await page.request.get(`${server.url}/api/openapi.json`)).json()) as { paths: Record<string, object> };
  const operations = Object.values(description.paths).flatMap((path) => Object.keys(path));
  await page.goto('/api/docs');
  await expect(page.getByRole('heading', { level: 1, name: 'oauth2flow' })).toBeVisible();
  await expect(page.locator('.opblock')).toHaveCount(operations.length);

  await page.setViewportSize({ width: 320, height: 800 });
  expect(await overflowing(page)).toEqual([]);
  // What an operation answers is a table, which may be as wide as its words; nothing else is.
  await page.locator('.opblock').filter({ hasText: '/api/v1/session/events' }).getByRole('button').first().click();
  await expect(page.getByText('The events', { exact: true })).toBeVisible();
  const wide = await page.locator('body *').evaluateAll((all) =>
    all.filter((element) => element.closest('table') === null && element.getBoundingClientRect().right > innerWidth + 0.5).map(({ outerHTML }) => outerHTML.slice(0, 120)),
  );
  expect(wide).toEqual([]);

  const found = await violations(page);
  expect(found.map(({ id }) => id).sort()).toEqual(Object.keys(ofSwaggerUi).sort());
});
