"""The pages people work in: components, layout, guard and translations, on Reflex."""
