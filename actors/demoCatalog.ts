/**
 * A shop to try: products in ten categories with prices and stock, the same at every start. Some are low or out of stock,
 * and of `HF-LIMITED-10` there are ten pieces in one warehouse.
 */
import { type Money, money } from './kernel/money.ts';
import type { Policy } from './policy.ts';
import type { ProductDetails } from './product.ts';

export type DemoProduct = ProductDetails & {
  readonly sku: string;
  readonly price: Money;
  readonly stock: readonly { readonly warehouse: string; readonly quantity: number }[];
};

type Range = {
  readonly code: string;
  readonly category: string;
  readonly tags: readonly string[];
  /** Code, words after the name, price in percent of the base price. */
  readonly variants: readonly (readonly [code: string, words: string, percent: number])[];
  /** Code, name, base price in minor units, what it is. */
  readonly items: readonly (readonly [code: string, name: string, price: number, description: string])[];
};

const ranges: readonly Range[] = [
  {
    code: 'TEA',
    category: 'Tea',
    tags: ['drinks', 'loose leaf'],
    variants: [
      ['50', '50 g', 60],
      ['100', '100 g', 100],
      ['250', '250 g', 210],
    ],
    items: [
      ['GREEN', 'Sencha Green Tea', 1_190, 'Steamed spring leaves, fresh and grassy'],
      ['BLACK', 'Assam Black Tea', 990, 'Malty second flush for a strong morning cup'],
      ['EARL', 'Earl Grey', 1_090, 'Black tea with cold-pressed bergamot oil'],
      ['OOLONG', 'Milk Oolong', 1_690, 'Rolled leaves with a creamy finish, good for six infusions'],
      ['WHITE', 'White Peony', 1_890, 'Buds and young leaves, withered in the sun'],
      ['MINT', 'Garden Mint', 790, 'Peppermint and spearmint, free of caffeine'],
      ['CHAI', 'Masala Chai', 950, 'Black tea with cardamom, ginger, clove and cinnamon'],
    ],
  },
  {
    code: 'COF',
    category: 'Coffee',
    tags: ['drinks', 'whole bean'],
    variants: [
      ['250', '250 g', 100],
      ['500', '500 g', 185],
      ['1000', '1 kg', 345],
    ],
    items: [
      ['HOUSE', 'House Blend', 1_050, 'Chocolate and hazelnut, roasted for every machine'],
      ['ESPRES', 'Dark Espresso', 1_150, 'Dense crema and a long bittersweet finish'],
      ['ETHIO', 'Ethiopia Yirgacheffe', 1_490, 'Washed and light: jasmine, lemon, black tea'],
      ['COLOM', 'Colombia Huila', 1_390, 'Caramel sweetness with red apple'],
      ['KENYA', 'Kenya Nyeri', 1_650, 'Blackcurrant and grapefruit, juicy when filtered'],
      ['SUMAT', 'Sumatra Mandheling', 1_290, 'Full body, cedar and cocoa'],
      ['DECAF', 'Swiss Water Decaf', 1_350, 'Decaffeinated with water only'],
    ],
  },
  {
    code: 'KIT',
    category: 'Kitchen',
    tags: ['cooking'],
    variants: [
      ['S', 'small', 75],
      ['M', 'medium', 100],
      ['L', 'large', 140],
    ],
    items: [
      ['SKILL', 'Cast Iron Skillet', 4_490, 'Pre-seasoned, for every stove and the oven'],
      ['SAUCE', 'Steel Saucepan', 5_990, 'Three-ply steel with a pouring rim and a lid'],
      ['BOARD', 'Walnut Cutting Board', 4_290, 'End grain, oiled, with rubber feet'],
      ['KNIFE', 'Chef Knife', 8_990, 'Forged high-carbon steel, full tang'],
      ['BOWLS', 'Mixing Bowl', 1_990, 'Steel with a silicone base that stays put'],
      ['WHISK', 'Balloon Whisk', 1_290, 'Eleven wires, welded, safe in the dishwasher'],
      ['ROAST', 'Enamel Roasting Tin', 3_490, 'Deep sides, scratch-proof enamel'],
    ],
  },
  {
    code: 'TAB',
    category: 'Tableware',
    tags: ['stoneware', 'dining'],
    variants: [
      ['SAND', 'sand', 100],
      ['SLATE', 'slate', 100],
      ['SEA', 'sea green', 110],
    ],
    items: [
      ['PLATE', 'Dinner Plate', 1_890, 'Thrown stoneware with a reactive glaze'],
      ['SIDE', 'Side Plate', 1_390, 'For bread, cake or a late sandwich'],
      ['BOWL', 'Soup Bowl', 1_590, 'Deep enough for ramen'],
      ['MUG', 'Mug', 1_290, 'Holds 350 ml, keeps its handle cool'],
      ['CUP', 'Espresso Cup', 990, 'Thick wall, 80 ml'],
      ['JUG', 'Water Jug', 3_490, 'One litre and a lip that does not drip'],
      ['PLATT', 'Serving Platter', 4_490, 'Oval, for a roast or a fish'],
    ],
  },
  {
    code: 'BED',
    category: 'Bedroom',
    tags: ['home', 'textiles'],
    variants: [
      ['TWIN', 'twin', 80],
      ['QUEEN', 'queen', 100],
      ['KING', 'king', 120],
    ],
    items: [
      ['LINEN', 'Linen Sheet Set', 15_990, 'Washed European flax, softer every year'],
      ['PERCA', 'Percale Sheet Set', 9_990, 'Crisp long-staple cotton, 200 threads'],
      ['DUVET', 'Down Duvet', 28_990, 'Responsible down for all seasons'],
      ['COVER', 'Duvet Cover', 8_490, 'Cotton sateen with inside ties'],
      ['BLANK', 'Wool Blanket', 12_990, 'Woven from recycled wool'],
      ['TOPPER', 'Mattress Topper', 17_990, 'Natural latex, 5 cm'],
      ['QUILT', 'Cotton Quilt', 11_490, 'Light enough for summer nights'],
    ],
  },
  {
    code: 'LGT',
    category: 'Lighting',
    tags: ['home', 'lamps'],
    variants: [
      ['BRASS', 'brass', 115],
      ['BLACK', 'black', 100],
      ['WHITE', 'white', 100],
    ],
    items: [
      ['DESK', 'Desk Lamp', 7_990, 'Jointed arm, dimmable, warm to cool'],
      ['FLOOR', 'Floor Lamp', 14_990, 'Reads over your shoulder'],
      ['PENDNT', 'Pendant Lamp', 11_990, 'Spun metal shade on a textile cord'],
      ['WALL', 'Wall Light', 6_990, 'Up and down light, wired or plugged'],
      ['CLIP', 'Clip Light', 3_490, 'For shelves and headboards'],
      ['CANDLE', 'Rechargeable Table Lamp', 5_990, 'Forty hours on one charge'],
      ['ARC', 'Arc Lamp', 29_990, 'Marble base and two metres of reach'],
    ],
  },
  {
    code: 'OUT',
    category: 'Outdoor',
    tags: ['camping', 'hiking'],
    variants: [
      ['MOSS', 'moss', 100],
      ['CLAY', 'clay', 100],
      ['NIGHT', 'night blue', 105],
    ],
    items: [
      ['TENT', 'Two-Person Tent', 32_990, 'Stands in four minutes, weighs 1.9 kg'],
      ['SLEEP', 'Sleeping Bag', 18_990, 'Warm down to 0 °C, packs small'],
      ['PACK', 'Day Pack', 8_990, 'Twenty litres with a laptop sleeve'],
      ['BOTTLE', 'Insulated Bottle', 3_290, 'Cold for a day, hot for twelve hours'],
      ['STOVE', 'Camp Stove', 5_490, 'Boils a litre in three minutes'],
      ['CHAIR', 'Folding Chair', 6_990, 'Aluminium frame, one kilogram'],
      ['HAMMOCK', 'Hammock', 4_990, 'Ripstop nylon with tree straps'],
    ],
  },
  {
    code: 'GAR',
    category: 'Garden',
    tags: ['plants', 'tools'],
    variants: [
      ['ONE', 'single', 100],
      ['DUO', 'pair', 180],
      ['SET', 'set of four', 330],
    ],
    items: [
      ['TROWEL', 'Hand Trowel', 1_590, 'Stainless steel with an ash handle'],
      ['POT', 'Terracotta Pot', 1_290, 'Fired in Tuscany, safe from frost'],
      ['SEEDS', 'Herb Seeds', 390, 'Basil, parsley, dill and chives'],
      ['GLOVE', 'Garden Gloves', 1_490, 'Goatskin palms, breathing backs'],
      ['SHEARS', 'Pruning Shears', 3_490, 'Bypass blades that can be sharpened'],
      ['CAN', 'Watering Can', 2_990, 'Galvanised, with a brass rose'],
      ['LABEL', 'Slate Plant Labels', 790, 'Written with chalk, kept for years'],
    ],
  },
  {
    code: 'STA',
    category: 'Stationery',
    tags: ['paper', 'desk'],
    variants: [
      ['RED', 'red', 100],
      ['BLUE', 'blue', 100],
      ['GREY', 'grey', 95],
    ],
    items: [
      ['NOTE', 'Hardcover Notebook', 1_890, 'Dotted, 192 numbered pages that lie flat'],
      ['POCKET', 'Pocket Notebook', 990, 'Three thin books of 48 pages'],
      ['PEN', 'Rollerball Pen', 2_490, 'Aluminium body, refillable'],
      ['FOUNT', 'Fountain Pen', 7_490, 'Steel nib, piston filler'],
      ['FOLIO', 'Leather Folio', 9_990, 'Holds a tablet, papers and a pen'],
      ['PLAN', 'Desk Planner', 1_690, 'Sixty weeks to tear off'],
      ['CLIPS', 'Brass Paper Clips', 590, 'Forty, in a tin'],
    ],
  },
  {
    code: 'AUD',
    category: 'Audio',
    tags: ['electronics', 'music'],
    variants: [
      ['BLACK', 'black', 100],
      ['SILVER', 'silver', 100],
      ['OAK', 'oak edition', 120],
    ],
    items: [
      ['HEAD', 'Over-Ear Headphones', 24_990, 'Closed back, thirty hours of battery'],
      ['BUDS', 'Wireless Earbuds', 12_990, 'Noise cancelling, fits small ears'],
      ['SPEAK', 'Bookshelf Speaker', 19_990, 'Two-way, powered, with Bluetooth'],
      ['RADIO', 'Kitchen Radio', 9_990, 'FM, DAB and a proper knob'],
      ['TURN', 'Turntable', 34_990, 'Belt drive with a carbon arm'],
      ['STAND', 'Headphone Stand', 3_990, 'Felt-lined, heavy foot'],
      ['AMP', 'Headphone Amplifier', 15_990, 'Quiet, balanced, small'],
    ],
  },
];

export function demoCatalog(policy: Policy): DemoProduct[] {
  const products = ranges.flatMap((range) =>
    range.items.flatMap((item) => range.variants.map((variant) => productOf(range, item, variant, policy.currency))),
  );
  return [...products.map((product, index) => ({ ...product, stock: stockOf(index, policy) })), limited(policy)];
}

function productOf(
  { code, category, tags }: Range,
  [itemCode, name, base, description]: Range['items'][number],
  [variantCode, words, percent]: Range['variants'][number],
  currency: string,
): Omit<DemoProduct, 'stock'> {
  return {
    sku: `${code}-${itemCode}-${variantCode}`,
    name: `${name}, ${words}`,
    description: `${description}.`,
    category,
    tags: [...tags, words],
    // Whole units less one cent, or ten cents for the small ones.
    price: money(shelfPrice(Math.round((base * percent) / 100)), currency),
  };
}

function shelfPrice(amount: number): number {
  return amount < 2_000 ? Math.ceil(amount / 50) * 50 - 10 : Math.ceil(amount / 100) * 100 - 1;
}

/** Every 29th product is sold out, every 13th is low; the rest spread unevenly over the warehouses. */
function stockOf(index: number, { warehouses }: Policy): DemoProduct['stock'] {
  return warehouses.map(({ id }, place) => ({ warehouse: id, quantity: quantityOf(index, place) }));
}

function quantityOf(index: number, place: number): number {
  if (index % 29 === 28) return 0;
  if (index % 13 === 12) return place === index % 3 ? 3 : 0;
  return 20 + ((index * 37 + place * 53) % 181);
}

function limited({ currency, warehouses }: Policy): DemoProduct {
  return {
    sku: 'HF-LIMITED-10',
    name: 'Holdfast Anniversary Print, numbered',
    description: 'Ten prints were made. There will be no eleventh.',
    category: 'Stationery',
    tags: ['limited', 'print'],
    price: money(4_900, currency),
    stock: warehouses.slice(0, 1).map(({ id }) => ({ warehouse: id, quantity: 10 })),
  };
}
