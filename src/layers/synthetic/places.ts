/** Where visitors are, and which site they visit. */
import type { WebSite } from "./sites.ts"

export interface Place {
  readonly weight: number
  readonly site: WebSite
  /** JSON, as all texts here. */
  readonly country: string
  readonly region: string
  readonly city: string
  readonly dma: string
  readonly language: string
  readonly latitude: number
  readonly longitude: number
}

type Row = readonly [
  weight: number,
  site: WebSite,
  country: string,
  region: string,
  city: string,
  dma: string | null,
  language: string,
  latitude: number,
  longitude: number
]

const rows: ReadonlyArray<Row> = [
  [20, "uk", "United Kingdom", "England", "London", null, "English", 51.5074, -0.1278],
  [12, "uk", "United Kingdom", "Scotland", "Edinburgh", null, "English", 55.9533, -3.1883],
  [6, "uk", "United States", "Texas", "Austin", "Austin, TX", "English", 30.2672, -97.7431],
  [6, "uk", "Japan", "東京都", "東京", null, "Japanese", 35.6762, 139.6503],
  [16, "de", "Germany", "North Rhine-Westphalia", "Köln", null, "German", 50.9375, 6.9603],
  [14, "de", "Germany", "Bavaria", "München", null, "German", 48.1351, 11.582],
  [5, "de", "Poland", "Łódź Voivodeship", "Łódź", null, "Polish", 51.7592, 19.456],
  [5, "de", "Türkiye", "İstanbul", "İstanbul", null, "Turkish", 41.0082, 28.9784],
  [12, "fr", "France", "Île-de-France", "Paris", null, "French", 48.8566, 2.3522],
  [4, "fr", "Brazil", "São Paulo", "São Paulo", null, "Portuguese", -23.5505, -46.6333]
]

export const places: ReadonlyArray<Place> = rows.map(
  ([weight, site, country, region, city, dma, language, latitude, longitude]) => ({
    weight,
    site,
    country: JSON.stringify(country),
    region: JSON.stringify(region),
    city: JSON.stringify(city),
    dma: JSON.stringify(dma),
    language: JSON.stringify(language),
    latitude,
    longitude
  })
)
